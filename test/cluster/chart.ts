import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { loadAll } from 'js-yaml'
import { BASE, type Manifest } from '../support/cluster/manifests.ts'
import { kubernetesVersion, programFolder } from '../support/go-programs.ts'

/** The chart's folder. */
export const CHART = join(BASE, '../chart')

/** What Helm answers: `helm template` of the chart, in the namespace of the manifests, with these further arguments. */
export const template = (...args: readonly string[]) =>
  helm('template', 'berth', CHART, '--namespace', 'berth', '--kube-version', kubernetesVersion('newest'), ...args)

/** Helm itself; its folders are those of nobody, so that no plugin or setting of whoever runs the tests is heeded. */
export async function helm(...args: readonly string[]) {
  const program = join(await programFolder('helm'), 'helm')
  const nowhere = join(tmpdir(), 'berth-helm')
  const env = { HELM_CACHE_HOME: nowhere, HELM_CONFIG_HOME: nowhere, HELM_DATA_HOME: nowhere }
  const { exitCode, stdout, stderr } = await execa(program, args, { reject: false, env })
  return { exitCode, stdout, stderr }
}

/** All objects that the chart makes of these arguments. */
export async function renderChart(...args: readonly string[]): Promise<readonly Manifest[]> {
  const { exitCode, stdout, stderr } = await template(...args)
  if (exitCode !== 0) throw new Error(`helm template: ${stderr}`)
  return (loadAll(stdout) as (Manifest | null)[]).filter(one => one !== null)
}

/** A file of the chart's folder, as an argument of Helm. */
export const valuesOf = (cloud: string): readonly string[] => ['--values', join(CHART, 'values', `${cloud}.yaml`)]

const OF_HELM = ['helm.sh/chart', 'app.kubernetes.io/instance', 'app.kubernetes.io/version', 'app.kubernetes.io/managed-by']

/** Objects by kind and name, lists of named things in the order of their names, without what only Helm puts on them. */
export const comparable = (objects: readonly Manifest[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    objects
      .map(one => [`${one.kind} ${one.metadata.name}`, sorted(withoutHelm(one))])
      .toSorted(([a], [b]) => (`${a}` < `${b}` ? -1 : 1))
  )

function withoutHelm(object: Manifest): Manifest {
  const { labels = {}, ...metadata } = object.metadata as Manifest['metadata'] & { labels?: Readonly<Record<string, string>> }
  const kept = Object.fromEntries(Object.entries(labels).filter(([key]) => !OF_HELM.includes(key)))
  return { ...object, metadata: { ...metadata, labels: kept } as Manifest['metadata'] }
}

/** Kubernetes merges such lists by their names; the variables and rules of a policy have an order that counts. */
function sorted(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map(item => sorted(item))
    return ['containers', 'volumes', 'volumeMounts', 'env'].includes(key) ? items.toSorted(byName) : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, sorted(item, name)]))
}

const byName = (a: unknown, b: unknown): number => ((a as { name: string }).name < (b as { name: string }).name ? -1 : 1)
