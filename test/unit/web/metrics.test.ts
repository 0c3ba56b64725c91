import { describe, expect, test } from 'vitest'
import { DETECTOR_NAMES } from '../../../src/facts/all.ts'
import { createMetrics, METRICS } from '../../../src/web/metrics.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'

/** The samples by name and labels, as `name{a="b"}`. */
async function samples({ text }: ReturnType<typeof createMetrics>): Promise<Readonly<Record<string, number>>> {
  const lines = (await text()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

const made = () => createMetrics({ version: '0.1.0' })

describe('before anything happened', () => {
  test('has the build info of the version', async () => {
    expect((await samples(made()))[`berth_build_info{version="0.1.0",node_version="${process.versions.node}"}`]).toBe(1)
  })

  test('counters are at 0, so that their first increase is seen', async () => {
    const found = await samples(made())
    expect(found['berth_drift_repaired_total{kind="removed"}']).toBe(0)
    expect(found['berth_publish_total{target="labels",result="refused"}']).toBe(0)
    expect(found['berth_watch_restarts_total{reason="expired"}']).toBe(0)
    expect(found['berth_remedy_runs_total{remedy="shiftfs",result="failed"}']).toBe(0)
    expect(found['berth_detector_errors_total{detector="kernel"}']).toBe(0)
    expect(found['berth_last_success_timestamp_seconds{stage="publish"}']).toBe(0)
  })

  test('there is no series for the guard, the capabilities and the facts', async () => {
    const names = Object.keys(await samples(made()))
    expect(names.filter(name => /guard_enforced|capability|fact_known|duration/.test(name))).toEqual([])
  })

  test('there are memory, open files and CPU time of the process, and few other process metrics', async () => {
    const names = Object.keys(await samples(made())).filter(name => !name.startsWith('berth_'))
    expect(names).toContain('process_resident_memory_bytes')
    expect(names).toContain('process_open_fds')
    expect(names).toContain('process_cpu_seconds_total')
    expect(names.length).toBeLessThanOrEqual(10)
  })
})

describe('an observation', () => {
  test('sets one of three answers for each capability', async () => {
    const metrics = made()
    metrics.observeSnapshot(await snapshotOf('bottlerocket-fresh'))
    const found = await samples(metrics)
    expect(found['berth_capability{capability="cvm",answer="no"}']).toBe(1)
    expect(found['berth_capability{capability="cvm",answer="yes"}']).toBe(0)
    expect(found['berth_capability{capability="cvm",answer="unknown"}']).toBe(0)
    const ones = Object.entries(found).filter(([name, value]) => name.startsWith('berth_capability') && value === 1)
    expect(ones).toHaveLength(8)
  })

  test('replaces the previous answer', async () => {
    const metrics = made()
    metrics.observeSnapshot(await snapshotOf('bottlerocket-fresh'))
    metrics.observeSnapshot(await snapshotOf('eks-ubuntu-22.04'))
    const found = await samples(metrics)
    expect(found['berth_capability{capability="cvm",answer="no"}']).toBe(0)
    expect(found['berth_capability{capability="cvm",answer="yes"}']).toBe(1)
  })

  test('counts every detector without a result, once for each observation', async () => {
    const metrics = made()
    const snapshot = await snapshotOf('no-sys')
    const unknown = Object.entries(snapshot.facts).filter(([, { known }]) => !known)
    expect(unknown.length).toBeGreaterThan(0)
    metrics.observeSnapshot(snapshot)
    metrics.observeSnapshot(snapshot)
    const found = await samples(metrics)
    for (const [name] of unknown) {
      expect(found[`berth_fact_known{fact="${name}"}`], name).toBe(0)
      if ((DETECTOR_NAMES as readonly string[]).includes(name))
        expect(found[`berth_detector_errors_total{detector="${name}"}`], name).toBe(2)
    }
    expect(found['berth_detector_duration_seconds{detector="kernel"}']).toBe(0)
  })
})

describe('what happened', () => {
  test('is counted in its own series', async () => {
    const metrics = made()
    metrics.published('labels', 'written')
    metrics.driftRepaired('removed', 0.07)
    metrics.driftRepaired('removed', 3)
    metrics.driftContested(2)
    metrics.apiRequest({ verb: 'patch', resource: 'nodes' }, 200)
    metrics.apiRequest({ verb: 'watch', resource: 'nodes' }, 0)
    metrics.watchRestarted('silent')
    metrics.success('look', new Date('2026-11-03T10:00:00.500Z'))
    metrics.guard(true)
    metrics.remedyRun('user-namespaces', 'ineffective')
    expect(await samples(metrics)).toMatchObject({
      'berth_publish_total{target="labels",result="written"}': 1,
      'berth_drift_repaired_total{kind="removed"}': 2,
      'berth_drift_repair_seconds_bucket{le="0.05"}': 0,
      'berth_drift_repair_seconds_bucket{le="0.1"}': 1,
      'berth_drift_repair_seconds_bucket{le="+Inf"}': 2,
      berth_drift_repair_seconds_sum: 3.07,
      berth_drift_contested_labels: 2,
      'berth_api_requests_total{verb="patch",resource="nodes",code="200"}': 1,
      'berth_api_requests_total{verb="watch",resource="nodes",code="0"}': 1,
      'berth_watch_restarts_total{reason="silent"}': 1,
      'berth_last_success_timestamp_seconds{stage="look"}': 1793700000.5,
      berth_admission_guard_enforced: 1,
      'berth_remedy_runs_total{remedy="user-namespaces",result="ineffective"}': 1
    })
  })

  test('adds no series for a status that HTTP does not have', async () => {
    const metrics = made()
    for (let code = -1000; code < 10_000; code += 7) metrics.apiRequest({ verb: 'get', resource: 'nodes' }, code + 0.5)
    const codes = Object.keys(await samples(metrics)).filter(name => name.startsWith('berth_api_requests_total'))
    expect(codes).toEqual(['berth_api_requests_total{verb="get",resource="nodes",code="0"}'])
  })
})

describe('every metric', () => {
  const text = async () => {
    const metrics = made()
    for (const name of ['bottlerocket-fresh', 'no-proc', 'dell-a100']) metrics.observeSnapshot(await snapshotOf(name))
    metrics.guard(false)
    return await metrics.text()
  }

  test('of the table is exposed with its help and type, and there is no other of berth', async () => {
    const heads = [...(await text()).matchAll(/^# TYPE (berth_\w+) (\w+)$/gm)].map(([, name, type]) => [name, type])
    expect(heads.sort()).toEqual(
      Object.entries(METRICS)
        .map(([name, { type }]) => [name, type])
        .sort()
    )
  })

  test('has labels of few values without free text, and none names the node', async () => {
    const labels = [...(await text()).matchAll(/[{,](\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value] as const)
    for (const [name, value] of labels) expect(`${name}=${value}`).toMatch(/^\w+=[\w./+-]{1,40}$/)
    expect(labels.map(([name]) => name)).not.toContain('node')
  })

  test('are fewer than 250 series for each node', async () => {
    expect((await text()).split('\n').filter(line => /^\w/.test(line)).length).toBeLessThan(250)
  })
})

test('simultaneous scrapes share one result', async () => {
  const metrics = made()
  const [one, two] = [metrics.text(), metrics.text()]
  expect(one).toBe(two)
  await one
  expect(metrics.text()).not.toBe(one)
})
