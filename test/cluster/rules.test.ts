import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { dump } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { METRICS } from '../../src/web/metrics.ts'
import type { Manifest } from '../support/cluster/manifests.ts'
import { programFolder } from '../support/go-programs.ts'
import { installKinds } from './kinds.ts'
import { dryRun, render } from './kustomize.ts'
import { CASES, type Case } from './rules-cases.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

let directory: string
let promtool: string
let objects: readonly Manifest[]
let alerts: readonly Alert[]

beforeAll(async () => {
  const [rendered] = await Promise.all([render('monitoring'), installKinds(shared)])
  objects = rendered
  const spec = objects.find(({ kind }) => kind === 'PrometheusRule')?.['spec'] as {
    readonly groups: readonly { readonly rules: readonly Alert[] }[]
  }
  alerts = spec.groups.flatMap(({ rules }) => rules)
  promtool = join(await programFolder('prometheus'), 'promtool')
  directory = await mkdtemp(join(tmpdir(), 'berth-rules-'))
  await writeFile(join(directory, 'rules.yaml'), dump(spec))
})
afterAll(() => directory && rm(directory, { recursive: true }))

test('the API server takes monitor, rules and dashboard, every field by its name', async () => {
  const kinds = ['PodMonitor', 'PrometheusRule', 'ConfigMap']
  const ours = objects.filter(({ kind }) => kinds.includes(kind))
  expect(ours.map(({ kind }) => kind).toSorted()).toEqual(kinds.toSorted())
  await dryRun(shared, ours)
})

test('the monitor finds the port and the pods of the agent, and gives each series its node', () => {
  const monitor = objects.find(({ kind }) => kind === 'PodMonitor')
  const agents = objects.find(({ kind }) => kind === 'DaemonSet')
  const pod = (
    agents as unknown as { readonly spec: { readonly selector: object; readonly template: { readonly spec: object } } }
  ).spec
  expect(monitor).toMatchObject({
    spec: {
      jobLabel: 'app.kubernetes.io/name',
      selector: pod.selector,
      podMetricsEndpoints: [{ port: 'http', relabelings: [{ targetLabel: 'node' }] }]
    }
  })
  expect(pod.template.spec).toMatchObject({ containers: [{ name: 'agent', ports: [{ name: 'http' }] }] })
})

test('promtool finds nothing wrong with the rules', async () => {
  const { exitCode, all } = await execa(promtool, ['check', 'rules', 'rules.yaml'], { cwd: directory, reject: false, all: true })
  expect({ exitCode, all }).toEqual({ exitCode: 0, all: expect.stringContaining(`SUCCESS: ${alerts.length} rules found`) })
})

test('every alert has cases in which it fires, and in which it does not', () => {
  expect(Object.keys(CASES).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
  for (const [name, cases] of Object.entries(CASES)) {
    expect(
      cases.some(({ fires }) => fires.length > 0),
      name
    ).toBe(true)
    expect(
      cases.some(({ fires }) => fires.length === 0),
      name
    ).toBe(true)
  }
})

test('every metric that an alert asks for is one of ours, or of a program that it names', () => {
  const known = new Set([...Object.keys(METRICS), 'up'])
  for (const { alert, expr } of alerts) {
    const names = [...expr.matchAll(/\b([a-z_]+)\{/g)].map(([, name]) => name as string)
    expect(names.length, alert).toBeGreaterThan(0)
    for (const name of names) expect(known.has(name) || name.startsWith('kube_daemonset_'), name).toBe(true)
  }
})

/** A template as Prometheus fills it in; a label that the alert does not have is left, and so told from its empty value. */
const filled = (text: string, labels: Readonly<Record<string, string>>, value = ''): string =>
  text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (whole, name: string) => labels[name] ?? whole).replaceAll('{{ $value }}', value)

const played = (name: string, { when, series, at, fires }: Case) => {
  const { labels, annotations } = alerts.find(({ alert }) => alert === name) as Alert
  const expected = fires.map(({ value, ...own }) => ({
    exp_labels: { ...own, ...labels },
    exp_annotations: Object.fromEntries(Object.entries(annotations).map(([key, text]) => [key, filled(text, own, value)]))
  }))
  return {
    name: `${name}: ${when}`,
    interval: '1m',
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    alert_rule_test: [{ eval_time: at, alertname: name, exp_alerts: expected }]
  }
}

describe.each(Object.entries(CASES))('%s', (name, cases) => {
  test.each(cases)('$when', async one => {
    const file = `${name}-${cases.indexOf(one)}.yaml`
    await writeFile(
      join(directory, file),
      dump({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [played(name, one)] })
    )
    const { exitCode, all } = await execa(promtool, ['test', 'rules', file], { cwd: directory, reject: false, all: true })
    expect(exitCode, all).toBe(0)
  })
})
