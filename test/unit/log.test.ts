import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLog, type Fields, type LogOptions, lineWriter } from '../../src/log.ts'

/** A log with a clock of its own, and the lines that it wrote. */
function logWith(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const clock = { at: Date.parse('2026-11-03T10:00:00.000Z') }
  const write = (line: string) => void lines.push(line)
  const log = createLog({ level: 'info', format: 'json', write, now: () => new Date(clock.at), ...options })
  return { log, lines, clock, objects: () => lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

describe('a line', () => {
  test('is one JSON object with a code for programs and a message for people', () => {
    const { log, lines } = logWith()
    log.event('labels-written', '3 labels written', { labels: { 'berth.dev/cvm': 'true' }, attempt: 1 })
    expect(lines).toEqual([
      '{"level":"info","time":"2026-11-03T10:00:00.000Z","event":"labels-written",' +
        '"labels":{"berth.dev/cvm":"true"},"attempt":1,"msg":"3 labels written"}\n'
    ])
  })

  test('stays one line, whatever is in it', () => {
    const { log, lines } = logWith()
    log.event('api-back', 'two\nlines\r\nand %s %d %j', { 'odd\nname': 'a\u2028b\0c' })
    expect(lines).toHaveLength(1)
    expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1)
    expect(JSON.parse(lines[0] as string)).toMatchObject({ msg: 'two\nlines\r\nand %s %d %j', 'odd\nname': 'a\u2028b\0c' })
  })

  test('has each name once, also when a field has a name that is taken', () => {
    const { log, lines, objects } = logWith()
    log.event('api-back', 'ok', { level: 'x', time: 'x', msg: 'x', event: 'x', suppressed: 9 })
    expect(objects()[0]).toMatchObject({ level: 'info', event: 'api-back', msg: 'ok', level_: 'x', time_: 'x', suppressed_: 9 })
    for (const name of ['level', 'time', 'msg', 'event']) expect(lines[0]?.split(`"${name}":`)).toHaveLength(2)
  })

  test('has an end, also for values that have none', () => {
    const { log, lines, objects } = logWith()
    const endless: Record<string, unknown> = {
      big: 10n,
      call: () => 0,
      sign: Symbol('s'),
      bytes: Buffer.from('eyJ'),
      when: new Date(0)
    }
    endless['self'] = endless
    log.event('api-back', 'x'.repeat(1e6), {
      endless,
      many: Array.from({ length: 1e5 }, (_, n) => n),
      map: new Map([['a', new Set([1])]])
    })
    expect(lines[0]?.length).toBeLessThan(20_000)
    expect(objects()[0]).toMatchObject({
      endless: { big: '10', call: '[function]', sign: '[symbol]', bytes: '[bytes]', when: '1970-01-01T00:00:00.000Z' },
      map: { a: [1] }
    })
  })
})

describe('the level', () => {
  test('can be changed while it runs', () => {
    const { log, objects } = logWith()
    log.event('node-looked-at', 'unheard')
    log.setLevel('debug')
    log.event('node-looked-at', 'heard')
    log.setLevel('error')
    log.event('api-lost', 'unheard')
    log.event('agent-failed', 'always heard')
    expect(objects().map(({ level, msg }) => [level, msg])).toEqual([
      ['debug', 'heard'],
      ['fatal', 'always heard']
    ])
  })
})

describe('a repeated warning', () => {
  test('is written once a minute, with how many were held back', () => {
    const { log, objects, clock } = logWith()
    for (let second = 0; second <= 120; second += 1) {
      log.event('api-lost', 'no answer')
      clock.at += 1_000
    }
    expect(objects().map(({ suppressed }) => suppressed)).toEqual([undefined, 59, 59])
  })

  test('is the same by its code and key, or else its message', () => {
    const { log, objects } = logWith()
    log.event('write-refused', 'label a refused at 10:00', { key: 'a' })
    log.event('write-refused', 'label a refused at 10:01', { key: 'a' })
    log.event('write-refused', 'label b refused', { key: 'b' })
    log.event('write-failed', 'label a refused', { key: 'a' })
    log.event('write-failed', 'one')
    log.event('write-failed', 'two')
    log.event('write-failed', 'one')
    expect(objects().map(({ msg }) => msg)).toEqual([
      'label a refused at 10:00',
      'label b refused',
      'label a refused',
      'one',
      'two'
    ])
  })

  test('is not held back for hours when the clock is set back', () => {
    const { log, lines, clock } = logWith()
    log.event('api-lost', 'no answer')
    clock.at -= 3_600_000
    log.event('api-lost', 'no answer')
    expect(lines).toHaveLength(2)
  })

  test('of more kinds than are remembered is written again for the oldest, and held back for the newest', () => {
    const { log, lines } = logWith()
    for (let index = 0; index < 5_000; index += 1) log.event('api-lost', `port ${index}`)
    log.event('api-lost', 'port 4999')
    log.event('api-lost', 'port 0')
    expect(lines).toHaveLength(5_001)
  })

  test('and other events are never held back', () => {
    const { log, lines } = logWith()
    for (let index = 0; index < 5; index += 1) log.event('capability-changed', 'cvm: true → false')
    expect(lines).toHaveLength(5)
  })
})

/** What a Kubernetes client's error may carry. */
const clientError = (token: string) =>
  Object.assign(new Error(`HTTP-Code: 403 Message: denied for Bearer ${token}`), {
    code: 'FORBIDDEN',
    status: 403,
    headers: { authorization: `Bearer ${token}` },
    request: { headers: { Authorization: `Bearer ${token}` }, url: `https://me:${token}@host/` },
    body: token,
    cause: new Error(token)
  })

const segment = fc.stringMatching(/^[A-Za-z0-9_-]{20,60}$/)
const jwt = fc.tuple(fc.dictionary(fc.string(), fc.string()), segment, segment).map(([header, payload, signature]) => {
  const first = Buffer.from(JSON.stringify({ alg: 'RS256', ...header })).toString('base64url')
  return { text: `${first}.${payload}.${signature}`, secrets: [payload, signature] }
})
const bearer = segment.map(text => ({ text: `Bearer ${text}`, secrets: [text] }))

describe('a token', () => {
  const around = fc.string({ unit: 'binary' }).filter(text => !/[\w-]$|^[\w.-]/.test(text))

  test('is never written, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.oneof(jwt, bearer),
        around,
        around,
        fc.constantFrom('json', 'pretty'),
        ({ text, secrets }, left, right, format) => {
          const { log, lines } = logWith({ format: format as 'json' })
          const said = `${left} ${text} ${right}`
          const fields: Fields = {
            a: said,
            list: [said, { deep: [said] }],
            map: new Map([[said, said]]),
            error: new Error(said),
            [said]: 1
          }
          log.event('api-lost', said, fields)
          expect(lines).toHaveLength(1)
          for (const secret of secrets) expect(lines[0]).not.toContain(secret)
        }
      )
    )
  })

  test('of a client error goes with its headers, request, body, cause and stack', () => {
    fc.assert(
      fc.property(segment, token => {
        const { log, lines, objects } = logWith()
        log.event('write-refused', 'the API refuses', { error: clientError(token) })
        expect(lines[0]).not.toContain(token)
        expect(objects()[0]).toMatchObject({ error: { code: 'FORBIDDEN', status: 403 } })
        expect(Object.keys(objects()[0]?.['error'] as object).sort()).toEqual(['code', 'message', 'status'])
      })
    )
  })

  test.each(['authorization', 'Authorization', 'x-auth-token', 'password', 'clientKey', 'client-key', 'headers', 'Set-Cookie'])(
    'is not written under the name %s, whatever it looks like',
    name => {
      const { log, lines } = logWith()
      log.event('api-back', 'ok', { [name]: 'hunter2', inside: { [name]: ['hunter2'] } })
      expect(lines[0]).not.toContain('hunter2')
    }
  )

  test.each([
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----', 'MIIEpAIBAAKCAQEA'],
    ['{"Authorization":"Basic bWU6aHVudGVyMg=="}', 'bWU6aHVudGVyMg'],
    ['k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdz', 'aHR0cHM6Ly9z'],
    ['ya29.a0AfH6SMBx-abc_def', 'a0AfH6SMBx'],
    ['https://user:hunter2@10.0.0.1/api', 'hunter2'],
    [`${'x'.repeat(3_980)}eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl`, 'eyJhbGciOiJSUzI1NiIs']
  ])('is known by its form (%#)', (text, secret) => {
    const { log, lines } = logWith()
    log.event('api-back', text, { text })
    expect(lines[0]).not.toContain(secret)
  })

  test.each([
    'ip-10-20-30-40.eu-central-1.compute.internal',
    'https://10.0.0.1:443/api/v1/nodes?watch=1',
    'kernel 5.15.0-1084-aws is at or above 5.7'
  ])('is not seen where there is none: %s', text => {
    const { log, objects } = logWith()
    log.event('api-back', 'ok', { text })
    expect(objects()[0]?.['text']).toBe(text)
  })

  test('is suspected in whatever word follows "bearer"', () => {
    const { log, objects } = logWith()
    log.event('api-back', 'ok', { text: 'the bearer of bad news' })
    expect(objects()[0]?.['text']).toBe('the bearer [redacted] bad news')
  })
})

test('pretty lines are for people, and no control character reaches their terminal', () => {
  const { log, lines } = logWith({ format: 'pretty' })
  log.event('api-lost', 'no answer\u001b[31m\nfrom it', { server: 'https://10.0.0.1', status: 503, odd: '\u009b31m' })
  expect(lines).toEqual([
    '10:00:00.000 WARN  api-lost  no answer\\u001b[31m\\u000afrom it  server="https://10.0.0.1"  status=503  odd="\\u009b31m"\n'
  ])
})

describe('writing', () => {
  test('that fails costs the line and not the agent, and the next line says so', () => {
    const lines: string[] = []
    let full = true
    const { log } = logWith({
      write: line => {
        if (full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        lines.push(line)
      }
    })
    log.event('api-back', 'one')
    log.event('api-back', 'two')
    full = false
    log.event('api-back', 'three')
    log.event('api-back', 'four')
    expect(lines.map(line => JSON.parse(line)).map(({ event, msg, lost }) => [event, msg, lost])).toEqual([
      ['api-back', 'three', undefined],
      ['log-lost', '2 lines could not be written before this one', 2],
      ['api-back', 'four', undefined]
    ])
  })

  /** A descriptor that takes so many bytes a call, and answers with an error where the script has one. */
  function descriptor(script: readonly (number | string)[]) {
    let written = ''
    const steps = [...script]
    const put = (_: number, bytes: Uint8Array, from: number): number => {
      const step = steps.shift() ?? bytes.length
      if (typeof step === 'string') throw Object.assign(new Error(step), { code: step })
      const part = bytes.subarray(from, from + step)
      written += Buffer.from(part).toString()
      return part.length
    }
    return { write: lineWriter(1, put as never), written: () => written }
  }

  test('goes on where the system stopped, and waits a moment for a full pipe', () => {
    const { write, written } = descriptor([3, 'EAGAIN', 'EAGAIN', 2])
    write('{"a":1}\n')
    expect(written()).toBe('{"a":1}\n')
  })

  test('gives a line up that nobody takes', () => {
    const { write } = descriptor(Array.from({ length: 100 }, () => 'EAGAIN'))
    expect(() => write('{"a":1}\n')).toThrow('EAGAIN')
  })

  test('begins a line of its own after one that broke off', () => {
    const { write, written } = descriptor([3, 'ENOSPC'])
    expect(() => write('{"a":1}\n')).toThrow('ENOSPC')
    write('{"b":2}\n')
    write('{"c":3}\n')
    expect(written()).toBe('{"a\n{"b":2}\n{"c":3}\n')
  })
})
