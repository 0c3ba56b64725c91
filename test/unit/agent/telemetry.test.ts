import { expect, test } from 'vitest'
import { createDiary } from '../../../src/agent/telemetry.ts'

/** A diary, and the events that it logged. */
function diaryWithLog() {
  const logged: string[] = []
  const diary = createDiary({
    ...{ metrics: {} as never, node: 'n1', prefix: 'berth.dev', version: '0.1.0', patience: 0 },
    log: { event: (code, message, fields) => logged.push(`${code} ${fields?.['fact']}: ${message}`), setLevel: () => undefined },
    clock: { elapsed: () => 0, now: () => new Date(0) }
  })
  return { diary, logged }
}

test('a fact that the API does not tell is logged once for each reason, and once when it is told again', () => {
  const { diary, logged } = diaryWithLog()
  const failed = (why: string) => ({ ok: false, why }) as const
  for (let look = 0; look < 100; look++) diary.asked('pod-security', failed('forbidden'))
  expect(logged).toEqual(['fact-lost pod-security: forbidden'])
  diary.asked('resource-slices', failed('forbidden'))
  diary.asked('pod-security', failed('away'))
  for (let look = 0; look < 100; look++) diary.asked('pod-security', { ok: true, value: 'baseline' })
  expect(logged.slice(1)).toEqual([
    'fact-lost resource-slices: forbidden',
    'fact-lost pod-security: away',
    'fact-found pod-security: the API tells pod-security again'
  ])
})

test('what was not asked is not logged, and what is asked for no more is not missed', () => {
  const { diary, logged } = diaryWithLog()
  diary.asked('resource-slices', undefined)
  diary.asked('resource-slices', { ok: true, value: { devices: 0, tainted: 0 } })
  expect(logged).toEqual([])
  diary.asked('resource-slices', { ok: false, why: 'forbidden' })
  diary.asked('resource-slices', undefined)
  expect(logged).toEqual(['fact-lost resource-slices: forbidden'])
})
