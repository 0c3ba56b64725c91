import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Snapshot } from '../../src/cycle/snapshot.ts'
import { programFolder } from '../support/go-programs.ts'
import { snapshotOf } from '../support/recorded-snapshot.ts'
import { oneTarget, type Prometheus, startPrometheus } from './prometheus.ts'
import { type Serving, serve } from './serving.ts'

let snapshot: Snapshot
let serving: Serving
let prometheus: Prometheus

beforeAll(async () => {
  snapshot = await snapshotOf('bottlerocket-fresh')
  serving = await serve(snapshot)
  prometheus = await startPrometheus({ scrape: oneTarget(serving.address) })
})

afterAll(async () => {
  await prometheus?.stop()
  await serving?.close()
})

/** Waits until the query has an answer of which this is true, and returns it. */
async function until(expression: string, isSo: (values: readonly number[]) => boolean) {
  let found: readonly number[] = []
  await expect
    .poll(
      async () => {
        found = (await prometheus.query(expression)).map(({ value }) => value)
        return isSo(found)
      },
      { timeout: 20_000, interval: 100, message: expression }
    )
    .toBe(true)
  return found
}

test('promtool finds nothing to say about names, labels, units and help texts', async () => {
  serving.metrics.guard(true)
  serving.metrics.apiRequest({ verb: 'patch', resource: 'nodes' }, 200)
  const { exitCode, stdout, stderr } = await execa(
    join(await programFolder('prometheus'), 'promtool'),
    ['check', 'metrics', '--extended'],
    {
      input: await serving.metrics.text(),
      reject: false
    }
  )
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  // --extended also counts: no metric of ours has more than 60 series.
  const counts = [...stdout.matchAll(/^(berth_\w+)\s+(\d+)/gm)].map(([, name, count]) => [name, Number(count)] as const)
  expect(counts.length).toBeGreaterThan(10)
  for (const [name, count] of counts) expect(count, name).toBeLessThanOrEqual(60)
})

test('answers what a node can host', async () => {
  await until('berth_capability{capability="cvm",answer="no"} == 1', values => values.length === 1)
  expect(await prometheus.query('berth_capability{capability="cvm",answer="yes"} == 1')).toEqual([])
  const told = await prometheus.query('berth_capability == 1')
  expect(Object.fromEntries(told.map(({ metric }) => [metric['capability'], metric['answer']]))).toEqual(
    Object.fromEntries(Object.entries(snapshot.verdicts).map(([name, { answer }]) => [name, answer]))
  )
  // The node is the target's label, and comes with every series.
  expect(new Set(told.map(({ metric }) => metric['node']))).toEqual(new Set(['node-1']))
})

test('answers the questions that alerts ask', async () => {
  serving.metrics.success('publish', new Date())
  await until('time() - berth_last_success_timestamp_seconds{stage="publish"} < 10', values => values.length === 1)
  await until('berth_admission_guard_enforced', values => values[0] === 1)
  expect(await prometheus.query('count(berth_fact_known == 0)')).toEqual([])
  serving.metrics.driftRepaired('removed', 0.04)
  await until('increase(berth_drift_repaired_total{kind="removed"}[1m])', ([value = 0]) => value > 0)
  await until(
    'histogram_quantile(0.5, sum by (le) (rate(berth_drift_repair_seconds_bucket[1m])))',
    ([value = 1]) => value <= 0.05
  )
  await until('max(berth_detector_duration_seconds)', values => values.length === 1)
})

test('sees an answer move', async () => {
  serving.metrics.observeSnapshot(await snapshotOf('bottlerocket-raised'))
  await until('berth_capability{capability="podman",answer="yes"}', ([value]) => value === 1)
  expect(await prometheus.query('count by (capability) (berth_capability == 1) != 1')).toEqual([])
})

test('counts nothing twice after a restart', async () => {
  const [before = 0] = await until('process_start_time_seconds', values => values.length === 1)
  const series = await prometheus.query('count({__name__=~"berth_.+",__name__!~"berth_(api_requests_total|admission.*)"})')
  await serving.close()
  await until('up', ([value]) => value === 0)
  serving = await serve(snapshot, serving.address)
  await until('up', ([value]) => value === 1)
  await until('berth_capability{capability="podman",answer="no"}', ([value]) => value === 1)
  expect(await prometheus.query('count by (capability) (berth_capability == 1) != 1')).toEqual([])
  expect(await prometheus.query('count by (capability, answer) (berth_capability) != 1')).toEqual([])
  expect(await prometheus.query('count({__name__=~"berth_.+",__name__!~"berth_(api_requests_total|admission.*)"})')).toEqual(
    series
  )
  // A scrape that a busy machine gave up leaves a gap in every series.
  await until('count(berth_build_info)', ([value]) => value === 1)
  // A counter that began again at 0 is a reset, and no negative increase.
  expect(await prometheus.query('increase(berth_drift_repaired_total[1m]) < 0')).toEqual([])
  expect(before).toBeGreaterThan(0)
})
