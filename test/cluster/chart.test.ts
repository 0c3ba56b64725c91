import { beforeAll, describe, expect, test } from 'vitest'
import type { Manifest } from '../support/cluster/manifests.ts'
import { comparable, renderChart, template, valuesOf } from './chart.ts'
import { installKinds } from './kinds.ts'
import { dryRun, render, renderFrom } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const NAMESPACE = ['--set', 'namespace.create=true'] as const
const EVERYTHING = ['helper', 'monitoring', 'flowControl', 'sysbox', 'gpuOperator', 'ostree', 'devices'].flatMap(name => [
  '--set',
  `${name}.enabled=true`
])

beforeAll(() => installKinds(shared))

const one = (objects: readonly Manifest[], kind: string): Manifest => {
  const found = objects.filter(object => object.kind === kind)
  expect(found.length, kind).toBeGreaterThan(0)
  return found[0] as Manifest
}
interface Container {
  readonly name: string
  readonly image: string
  readonly env: readonly object[]
}
const podOf = (objects: readonly Manifest[]) =>
  (one(objects, 'DaemonSet') as unknown as { readonly spec: { readonly template: { readonly spec: Pod } } }).spec.template.spec
interface Pod {
  readonly containers: readonly Container[]
  readonly [field: string]: unknown
}
const container = (objects: readonly Manifest[], name: string) =>
  podOf(objects).containers.find(each => each.name === name) as Container

describe('the chart is what kustomize builds', () => {
  test('by default: the base', async () => {
    expect(comparable(await renderChart(...NAMESPACE))).toEqual(comparable(await render()))
  })

  test('with everything: the base with every component', async () => {
    const objects = await renderChart(...NAMESPACE, ...EVERYTHING)
    expect(comparable(objects)).toEqual(
      comparable(await render('helper', 'monitoring', 'flow-control', 'sysbox', 'gpu-operator', 'ostree', 'devices'))
    )
    await dryRun(shared, objects)
  })

  test('with the namespace of workspaces: the base with its component', async () => {
    const objects = await renderChart(...NAMESPACE, '--set', 'options.workspace-namespace=workspaces')
    expect(comparable(objects)).toEqual(comparable(await render('workspace-namespace')))
    await dryRun(shared, objects)
  })

  test.each(['gke', 'eks', 'aks', 'bottlerocket', 'openshift'])('with the values of %s: its overlay', async cloud => {
    const objects = await renderChart(...NAMESPACE, ...valuesOf(cloud))
    expect(comparable(objects)).toEqual(comparable(await renderFrom(`overlays/${cloud}`)))
  })

  test('with the values of openshift and the helper: its overlay with both components', async () => {
    const objects = await renderChart(...NAMESPACE, ...valuesOf('openshift'), '--set', 'helper.enabled=true')
    expect(comparable(objects)).toEqual(comparable(await renderFrom('overlays/openshift', 'helper', 'openshift-privileged')))
  })
})

test('leaves the Namespace to Helm unless it is asked for', async () => {
  expect((await renderChart()).map(({ kind }) => kind)).not.toContain('Namespace')
})

test('in another namespace, everything is there and names it, and the policy holds that account', async () => {
  const args = [...NAMESPACE, ...EVERYTHING, ...valuesOf('openshift'), '--namespace', 'elsewhere']
  const text = JSON.stringify(await renderChart(...args))
  expect(text).not.toMatch(/"namespace":"berth"|serviceaccount:berth:/)
  expect(text).toContain("'system:serviceaccount:elsewhere:berth-agent'")
  expect(one(await renderChart(...args), 'Namespace').metadata.name).toBe('elsewhere')
})

test('options reach the container as variables, and the policy follows those that it names too', async () => {
  const objects = await renderChart(
    ...['--set', 'options.label-prefix=example.com', '--set', 'options.startup-taint=example.com/starting'],
    ...['--set-string', 'options.minimum-kernel=5.10', '--set', 'options.max-user-namespaces=1000000'],
    ...[
      '--set',
      'helper.enabled=true',
      '--set',
      'helper.permit={shiftfs,user-namespaces}',
      '--set',
      'helper.options.persist=true'
    ]
  )
  expect(container(objects, 'agent').env.slice(2)).toEqual([
    { name: 'BERTH_LABEL_PREFIX', value: 'example.com' },
    { name: 'BERTH_MAX_USER_NAMESPACES', value: '1000000' },
    { name: 'BERTH_MINIMUM_KERNEL', value: '5.10' },
    { name: 'BERTH_STARTUP_TAINT', value: 'example.com/starting' }
  ])
  expect(container(objects, 'helper').env.slice(2)).toEqual([
    { name: 'BERTH_PERMIT', value: 'shiftfs,user-namespaces' },
    { name: 'BERTH_PERSIST', value: 'true' }
  ])
  expect(one(objects, 'ValidatingAdmissionPolicy')).toMatchObject({
    spec: {
      variables: expect.arrayContaining([
        { name: 'prefix', expression: "'example.com/'" },
        { name: 'startupTaint', expression: "'example.com/starting'" }
      ])
    }
  })
  await dryRun(shared, objects)
})

test('the device plugin has the image of the agent, its own options, and the devices that it offers', async () => {
  const objects = await renderChart(
    ...['--set', 'devices.enabled=true', '--set', 'devices.offer={fuse,kvm}', '--set', 'devices.options.fuse-slots=64'],
    ...['--set', 'image.repository=registry.example/berth', '--set', 'image.tag=1.2.3']
  )
  const { image, env } = container(objects, 'devices')
  expect(image).toBe('registry.example/berth:1.2.3')
  expect(env).toEqual([
    { name: 'BERTH_HOST_ROOT', value: '/host' },
    { name: 'BERTH_OFFER', value: 'fuse,kvm' },
    { name: 'BERTH_FUSE_SLOTS', value: '64' }
  ])
  await dryRun(shared, objects)
  const { stderr } = await template('--set', 'devices.enabled=true', '--set', 'devices.offer={gpu}')
  expect(stderr).toMatch(/devices.offer.0|\/devices\/offer\/0/)
})

test('images come from a registry, by tag or by digest, and pods are placed as told', async () => {
  const digest = `sha256:${'0'.repeat(64)}`
  const objects = await renderChart(
    ...['--set', 'image.repository=registry.example/berth', '--set', 'image.tag=1.2.3', '--set', 'image.pullPolicy=Always'],
    ...['--set', 'helper.enabled=true', '--set', `helper.image.digest=${digest}`, '--set', 'imagePullSecrets[0].name=secret'],
    ...['--set', 'nodeSelector.pool=cvm', '--set', 'podLabels.team=a', '--set', 'monitoring.enabled=true'],
    ...['--set', 'monitoring.labels.release=prometheus', '--set', 'monitoring.interval=15s', '--set', 'maxUnavailable=3'],
    ...['--set', 'monitoring.runbookUrl=https://wiki.example.com/berth/']
  )
  expect(container(objects, 'agent')).toMatchObject({ image: 'registry.example/berth:1.2.3', imagePullPolicy: 'Always' })
  expect(container(objects, 'helper').image).toBe(`berth-helper@${digest}`)
  expect(podOf(objects)).toMatchObject({
    imagePullSecrets: [{ name: 'secret' }],
    nodeSelector: { 'kubernetes.io/os': 'linux', pool: 'cvm' }
  })
  expect(one(objects, 'PodMonitor')).toMatchObject({
    metadata: { labels: { release: 'prometheus' } },
    spec: { podMetricsEndpoints: [{ interval: '15s' }] }
  })
  expect(JSON.stringify(one(objects, 'PrometheusRule'))).toContain(
    '"runbook_url":"https://wiki.example.com/berth/BerthAgentDown"'
  )
  expect(one(objects, 'ConfigMap')).toMatchObject({ metadata: { labels: { release: 'prometheus', grafana_dashboard: '1' } } })
  await dryRun(shared, objects)
})

describe('refuses', () => {
  test('a Kubernetes without admission policies, unless it is told to go without', async () => {
    const old = ['--kube-version', '1.29.9']
    const refused = await template(...old)
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/Kubernetes v1\.29\.9 has no admission policies/)
    })
    expect(refused.stderr).toContain('--set guard.enabled=false')
    const objects = await renderChart(...old, '--set', 'guard.enabled=false')
    const kinds = objects.map(({ kind }) => kind)
    // That API server does not know the field, and takes no pod with it.
    expect(JSON.stringify(objects)).not.toContain('recursiveReadOnly')
    expect(kinds.filter(kind => kind.startsWith('ValidatingAdmissionPolicy'))).toEqual([])
    expect(kinds).toContain('DaemonSet')
  })

  test.each([
    ['options.minimum-kernell=5', /minimum-kernell/],
    ['options.gpu-in-virtual-machines=yes', /gpu-in-virtual-machines.+'deny', 'allow'/s],
    ['options.minimum-kernel=5.1', /minimum-kernel.+got number, want string/s],
    ['options.host-root=/', /host-root/],
    ['helper.permit={everything}', /permit.+'user-namespaces', 'user-namespaces-anywhere', 'modules', 'shiftfs'/s],
    ['image.digest=sha256:1', /digest/],
    ['replicas=3', /replicas/]
  ])('%s', async (setting, why) => {
    const { exitCode, stderr } = await template('--set-json', json(setting))
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(why) })
  })
})

/** `a=1` and `a={b}` as Helm's --set would read them. */
const json = (setting: string): string => {
  const [key = '', value = ''] = setting.split('=')
  if (value.startsWith('{')) return `${key}=["${value.slice(1, -1)}"]`
  return `${key}=${/^[\d.]+$/.test(value) ? value : JSON.stringify(value)}`
}
