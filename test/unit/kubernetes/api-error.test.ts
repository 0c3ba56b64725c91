import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import { HttpFailure } from '../../../src/kubernetes/failures/http-failure.ts'
import { toApiError } from '../../../src/kubernetes/failures/to-api-error.ts'

const context = {
  action: 'read the Node "n1"',
  server: 'https://10.0.0.1:6443',
  credentials: 'the credentials of user "me" in the kubeconfig "/k"',
  ifNotFound: 'list them'
}

const status = (code: number, fields: object, headers: Record<string, string> = {}) =>
  new HttpFailure(code, JSON.stringify({ kind: 'Status', code, ...fields }), {
    authorization: 'Bearer of-secrets',
    ...headers
  })

const failed = (code: string) => Object.assign(new Error('what happened'), { code })

describe('a refusal is a sentence', () => {
  test.for([
    [new HttpFailure(401, '', {}), { status: 401, transient: false }, 'renew'],
    [status(403, { reason: 'Forbidden', message: 'User "x" cannot' }), { code: 'Forbidden' }, '(403): "User "x" cannot"'],
    [status(404, { reason: 'NotFound' }), { status: 404 }, 'there is none in this cluster (404); list them'],
    [status(409, { reason: 'Conflict' }), { status: 409, transient: false }, 'run again'],
    [
      status(422, { reason: 'Invalid', details: { causes: [{ field: 'metadata.uid' }] } }),
      { code: 'RECREATED' },
      'created again'
    ],
    [status(422, { reason: 'Invalid', details: { causes: [null, 'x'] } }), { code: 'Invalid' }, '(422)'],
    [status(422, { reason: 'Invalid', details: null }), { code: 'Invalid' }, '(422)'],
    [status(429, {}, { 'retry-after': '7' }), { transient: true, retryAfter: 7 }, 'asks us to wait 7 s'],
    [status(429, {}, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), { transient: true, retryAfter: 0 }, 'too busy'],
    [status(429, {}, { 'retry-after': '-1' }), { retryAfter: 0 }, 'too busy'],
    [status(500, { message: 'etcd is gone' }), { transient: true }, '(500): "etcd is gone"'],
    [status(501, {}), { transient: false }, '(501)'],
    [status(504, {}), { transient: true }, '(504)'],
    [new HttpFailure(418, '<b>\n tea\u001b[31m</b>', {}), { status: 418 }, '(418): "<b> tea [31m</b>"'],
    [new HttpFailure(418, 'null', {}), { status: 418 }, '(418)'],
    [new HttpFailure(418, 'x'.repeat(10_000), {}), { status: 418 }, `${'x'.repeat(399)}…"`],
    [status(418, { message: 5, reason: [] }), { code: '' }, '(418)']
  ] as const)('%s', ([error, details, says]) => {
    const failure = toApiError(error, context)
    expect(failure).toBeInstanceOf(ApiError)
    expect(failure).toMatchObject(details)
    expect(failure.message).toMatch(/^cannot read the Node "n1" at https:\/\/10\.0\.0\.1:6443: /)
    expect(failure.message).toContain(says)
    expect(failure.message).not.toMatch(/Bearer|undefined|\n|\p{C}/u)
  })
})

describe('a failure of the network is a sentence', () => {
  test.for([
    ['ECONNREFUSED', 'nothing listens', false],
    ['ENOTFOUND', '"10.0.0.1" is not known', false],
    ['EHOSTUNREACH', 'no route', false],
    ['ECONNRESET', 'the connection broke', true],
    ['UND_ERR_SOCKET', 'the connection broke', true],
    ['ERR_HTTP2_STREAM_ERROR', 'the connection broke', true],
    ['UND_ERR_CONNECT_TIMEOUT', 'could not be made in time', false],
    ['UND_ERR_HEADERS_TIMEOUT', 'no answer in time', false],
    ['CERT_HAS_EXPIRED', 'has expired', false],
    ['CERT_NOT_YET_VALID', 'clock', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'not signed by the CA', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'other names than "10.0.0.1"', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS', false],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'refuses the client certificate', false],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'refuses the client certificate', false],
    ['HPE_INVALID_CONSTANT', 'not the JSON', false],
    ['EWHATEVER', 'what happened (EWHATEVER)', false]
  ] as const)('%s', ([code, says, transient]) => {
    const failure = toApiError(failed(code), context)
    expect(failure).toMatchObject({ code, transient, status: 0, message: expect.stringContaining(says) })
  })

  test('the innermost code decides', () => {
    const inner = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    const outer = Object.assign(new Error('socket', { cause: inner }), { code: 'UND_ERR_WHATEVER' })
    expect(toApiError(outer, context).code).toBe('ECONNRESET')
  })

  test('a request that takes too long is a timeout', () => {
    expect(toApiError(new DOMException('aborted due to timeout', 'TimeoutError'), context).message).toContain('no answer in time')
  })
})

test('a bug of ours is thrown as it is', () => {
  const bug = new TypeError('x is undefined')
  expect(() => toApiError(bug, context)).toThrow(bug)
  expect(() => toApiError('text', context)).toThrow('text')
})

test('an `ApiError` is returned as it is', () => {
  const failure = new ApiError('no kubeconfig', { code: 'KUBECONFIG' })
  expect(toApiError(failure, context)).toBe(failure)
})
