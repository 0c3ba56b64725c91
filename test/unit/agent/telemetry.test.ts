import { expect, test } from 'vitest'
import { createTelemetry } from '../../../src/agent/telemetry.ts'
import type { Attempt } from '../../../src/facts/fact.ts'
import type { FactName } from '../../../src/facts/observe.ts'

/** Telemetry, and the lines that it logged. */
function withLog() {
  const logged: string[] = []
  const telemetry = createTelemetry({
    ...{ metrics: {} as never, node: 'n1', prefix: 'berth.dev', version: '0.1.0', patience: 0 },
    log: { event: (code, message, fields) => logged.push(`${code} ${fields?.['fact']}: ${message}`), setLevel: () => undefined },
    clock: { elapsed: () => 0, now: () => new Date(0) }
  })
  const asked = (fact: FactName, answer: Attempt<unknown> | undefined) => telemetry.emit({ type: 'fact-asked', fact, answer })
  return { asked, logged }
}

test('a fact that the API does not return is logged once for each reason, and once when it is back', () => {
  const { asked, logged } = withLog()
  const failed = (why: string) => ({ ok: false, why }) as const
  for (let look = 0; look < 100; look++) asked('pod-security', failed('forbidden'))
  expect(logged).toEqual(['fact-lost pod-security: forbidden'])
  asked('resource-slices', failed('forbidden'))
  asked('pod-security', failed('away'))
  for (let look = 0; look < 100; look++) asked('pod-security', { ok: true, value: 'baseline' })
  expect(logged.slice(1)).toEqual([
    'fact-lost resource-slices: forbidden',
    'fact-lost pod-security: away',
    'fact-found pod-security: the API returns pod-security again'
  ])
})

test('a fact that was not requested is not logged, and one that is no longer requested is not missed', () => {
  const { asked, logged } = withLog()
  asked('resource-slices', undefined)
  asked('resource-slices', { ok: true, value: { devices: 0, tainted: 0 } })
  expect(logged).toEqual([])
  asked('resource-slices', { ok: false, why: 'forbidden' })
  asked('resource-slices', undefined)
  expect(logged).toEqual(['fact-lost resource-slices: forbidden'])
})
