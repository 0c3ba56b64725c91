import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { METRICS } from '../../src/web/metrics.ts'
import { oneTarget, type Prometheus, startPrometheus } from '../agent/prometheus.ts'
import { endAgents, eventually, nodeOf, ownKubeconfig, startAgent } from '../support/cluster/agent-process.ts'
import { applyManifests, BASE } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { render } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

interface Panel {
  readonly title: string
  readonly description: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Rules {
  readonly spec: {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
  }
}

const shared = sharedControlPlane()
const NODE = 'rules-dashboard'
const dashboard = JSON.parse(readFileSync(join(BASE, '../components/monitoring/dashboard.json'), 'utf8')) as {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
}
const QUERIES = dashboard.panels.flatMap(({ title, targets }) => targets.map(target => ({ title, ...target })))

let prometheus: Prometheus

beforeAll(async () => {
  await applyManifests(shared)
  await createNode(shared, realisticNode(NODE))
  const root = join(import.meta.dirname, '../nodes/bottlerocket-fresh.yaml')
  const kubeconfig = await ownKubeconfig(shared, NODE)
  const agent = await startAgent(NODE, kubeconfig, ['--host-root', root, '--interval', '1s'])
  const port = await eventually('the agent listens', agent.port)
  prometheus = await startPrometheus({ scrape: oneTarget(`127.0.0.1:${port}`) })
  await nodeOf(shared, NODE).isLabelled()
  await asked('berth_capability', 1)
  // A repair, so that there is a time that it took.
  await nodeOf(shared, NODE).label({ 'berth.dev/cvm': 'true' })
  await asked('sum(berth_drift_repaired_total) > 0 and sum(berth_admission_guard_enforced) == 1', 1)
  await asked('sum(increase(berth_drift_repair_seconds_bucket[1m])) > 0', 1)
})
afterAll(async () => {
  await prometheus?.stop()
  await endAgents()
})

/** Grafana's variables as it would fill them in: all nodes, and two scrapes at the least. */
const filled = (expression: string) => expression.replaceAll('$node', '.*').replaceAll('$__rate_interval', '1m')

const asked = (expression: string, least: number) =>
  eventually(`${expression} has an answer`, async () => {
    const answer = await prometheus.query(filled(expression))
    return answer.length >= least && answer
  })

describe('every query of the dashboard has an answer, from a Prometheus that scrapes an agent', () => {
  test.each(QUERIES)('$title: $expr', async ({ expr, legendFormat }) => {
    const answer = await asked(expr, 1)
    for (const { metric, value } of answer) {
      expect(Number.isNaN(value), 'no number').toBe(false)
      // A legend that names a label which the answer does not have would show it as it stands.
      const names = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name as string)
      for (const name of names) expect(metric).toHaveProperty(name)
    }
  })

  test('and what is told is so', async () => {
    const [ask] = QUERIES.filter(({ title }) => title === 'Nodes that can host')
    const able = await asked((ask as { expr: string }).expr, 1)
    const labels = await nodeOf(shared, NODE).ours()
    for (const { metric, value } of able) {
      if (metric['capability'] === 'privileged') continue // no label of its own unless somebody opted in
      expect(labels[`berth.dev/${metric['capability']}`], metric['capability']).toBe(value === 1 ? 'true' : 'false')
    }
  })
})

test('every alert has no complaint about an agent that is well, and asks nothing that fails', async () => {
  const [rules] = (await render('monitoring')).filter(({ kind }) => kind === 'PrometheusRule') as unknown as readonly Rules[]
  const alerts = rules?.spec.groups.flatMap(group => group.rules) ?? []
  expect(alerts.length).toBeGreaterThan(0)
  await asked('min(berth_last_success_timestamp_seconds{stage=~"look|publish|heartbeat"}) > 0', 1)
  for (const { alert, expr } of alerts) expect(await prometheus.query(expr), alert).toEqual([])
})

describe('the dashboard', () => {
  test('shows every metric of the agent', () => {
    const text = QUERIES.map(({ expr }) => expr).join('\n')
    for (const name of Object.keys(METRICS)) expect(text).toContain(name)
  })

  test('asks only for what can be chosen, and tells what each panel means', () => {
    const names = new Set(dashboard.templating.list.map(({ name }) => name))
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name as string)
    expect(new Set(used)).toEqual(names)
    for (const { title, description } of dashboard.panels) expect(description, title).toMatch(/\.$/)
  })

  test('has no panel over another, and none beyond the 24 columns', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`)
    )
    expect(new Set(cells).size).toBe(cells.length)
    for (const { title, gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
  })
})
