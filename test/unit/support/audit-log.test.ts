import { expect, test } from 'vitest'
import { requestsIn } from '../../support/cluster/audit-log.ts'

const USER = 'system:serviceaccount:berth:berth-agent'
const SPAN = { user: USER, from: new Date('2026-01-05T10:00:00Z'), to: new Date('2026-01-05T10:03:00Z') }

const event = (auditID: string, more: object = {}) =>
  JSON.stringify({
    ...{ auditID, verb: 'get', user: { username: USER }, objectRef: { resource: 'nodes' } },
    ...{ requestReceivedTimestamp: '2026-01-05T10:01:00.000000Z', ...more }
  })

test('a request counts once, however often the audit log mentions it', () => {
  const watch = { verb: 'watch', stage: 'ResponseStarted' }
  const log = [event('a', watch), event('b'), event('c'), event('a', { ...watch, stage: 'ResponseComplete' }), ''].join('\n')
  expect(requestsIn(log, SPAN)).toEqual({ 'watch nodes': 1, 'get nodes': 2 })
})

test('a subresource is another kind of request than its object', () => {
  const log = event('a', { verb: 'patch', objectRef: { resource: 'nodes', subresource: 'status' } })
  expect(requestsIn(log, SPAN)).toEqual({ 'patch nodes/status': 1 })
})

test('requests of others, and those before and after the span, do not count', () => {
  const log = [
    event('a', { user: { username: 'admin' }, objectRef: { resource: 'serviceaccounts', name: USER } }),
    event('b', { requestReceivedTimestamp: '2026-01-05T09:59:59.999999Z' }),
    event('c', { requestReceivedTimestamp: '2026-01-05T10:03:00.000000Z' })
  ].join('\n')
  expect(requestsIn(log, SPAN)).toEqual({})
})

test('a path that is no resource counts by its verb', () => {
  expect(requestsIn(event('a', { objectRef: undefined }), SPAN)).toEqual({ get: 1 })
})
