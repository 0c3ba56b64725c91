import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { environmentName } from '../../src/cli/environment.ts'
import { OPTIONS } from '../../src/cli/options/all.ts'
import { PERMITS } from '../../src/remedies/all.ts'
import { VERSION } from '../../src/version.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const helper = read('manifests/components/helper/daemonset.yaml')

/** What a helper is told besides where it is and what only verdicts rest on. */
const told = Object.entries(OPTIONS).filter(
  ([name, { commands }]) =>
    (commands as readonly string[]).includes('helper') &&
    (!(commands as readonly string[]).includes('report') ||
      /^(permit|max-user-namespaces|shiftfs-outside-ubuntu|host-root)$/.test(name))
)

/** What the component sets itself, and what is of use by hand only. */
const WITHOUT_DEFAULT = ['node-name', 'host-root', 'permit', 'dry-run', 'once', 'undo']

test.each(told.map(([name, { fallback, form }]) => [name, form === '' ? 'false' : fallback] as const))(
  'the component of the helper tells of --%s and its default',
  (name, fallback) => {
    if (name === 'node-name') expect(helper).toContain('- name: NODE_NAME')
    else expect(helper).toContain(environmentName(name))
    const [, value] = new RegExp(`#   ${environmentName(name)} +(\\S+)`).exec(helper) ?? []
    expect(value).toBe(WITHOUT_DEFAULT.includes(name) ? undefined : fallback || 'none')
  }
)

test('and of every permit', () => {
  for (const permit of PERMITS) expect(helper).toMatch(new RegExp(`#   ${permit} `))
})

// What workspaces run is not ours, and neither is the device plugin that stands in for one of ours.
const FOREIGN = ['manifests/workspaces/**', 'manifests/components/fuse-device-plugin/**']
const ours = globSync('manifests/**/*.yaml', { cwd: root, exclude: FOREIGN })

test('the manifests name two images, of this version and of no registry in particular', () => {
  const images = ours.flatMap(path => [...read(path).matchAll(/^ *(?:- )?image: (\S+)/gm)].map(([, image]) => image as string))
  expect(new Set(images)).toEqual(new Set([`berth:${VERSION}`, `berth-helper:${VERSION}`]))
})

interface Documents {
  readonly daemonset: { readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } } }
  readonly 'metrics-service': { readonly spec: { readonly ports: readonly object[]; readonly selector: object } }
  readonly 'network-policy': {
    readonly spec: {
      readonly podSelector: { readonly matchLabels: object }
      readonly ingress: readonly { readonly ports: readonly object[]; readonly from: readonly object[] }[]
    }
  }
}
interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
}
const base = <N extends keyof Documents>(name: N): Documents[N] => load(read(`manifests/base/${name}.yaml`)) as Documents[N]

test('one port, one name of it: the agent listens there, the Service leads to it, and the policy lets it be asked', () => {
  const port = Number(OPTIONS.listen.fallback.slice(1))
  const [agent] = base('daemonset').spec.template.spec.containers
  expect(agent?.ports).toEqual([{ name: 'http', containerPort: port }])
  expect(base('metrics-service').spec.ports).toEqual([{ name: 'http', port, targetPort: 'http' }])
  expect(base('network-policy').spec.ingress.map(({ ports }) => ports)).toEqual([[{ port: 'http', protocol: 'TCP' }]])
})

test('no pod may ask the agent but those of the namespace of the monitoring', () => {
  const values = ['monitoring']
  const matchExpressions = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }]
  expect(base('network-policy').spec.ingress.map(({ from }) => from)).toEqual([[{ namespaceSelector: { matchExpressions } }]])
})

test('the Service and the policy select the pods of the DaemonSet', () => {
  const { selector } = (
    load(read('manifests/base/daemonset.yaml')) as { readonly spec: { readonly selector: { readonly matchLabels: object } } }
  ).spec
  expect(base('metrics-service').spec.selector).toEqual(selector.matchLabels)
  expect(base('network-policy').spec.podSelector.matchLabels).toEqual(selector.matchLabels)
})

test('the base says which Kubernetes it needs, and what happens on an older one', () => {
  const text = read('manifests/base/kustomization.yaml')
  expect(text).toMatch(/^# Needs Kubernetes 1\.30 or newer: .*ValidatingAdmissionPolicy/m)
})
