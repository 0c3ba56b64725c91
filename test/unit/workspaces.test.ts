import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { DOCKER_HOST_EXAMPLES, EXAMPLES, embeddedExamples, isOfKubernetes } from '../../packaging/examples.ts'
import { ROOT } from '../../packaging/root.ts'
import { OPTIONS } from '../../src/cli/options/all.ts'
import { WAYS } from '../../src/commands/template/node-pool.ts'
import { CAPABILITIES } from '../../src/verdicts/all.ts'
import { conditionsOf, MEANT, objectsOf, type PodSpec, podOf, WAYS_AND_TEXTS } from './workspaces.ts'

const pods = Object.fromEntries(WAYS_AND_TEXTS.map(([way, text]) => [way, podOf(text)])) as Record<keyof typeof MEANT, PodSpec>
const names = readdirSync(EXAMPLES).filter(isOfKubernetes)

describe('the examples', () => {
  test('are there for every capability, as a pod and as a Coder template, and nothing else is', () => {
    expect(WAYS).toEqual(expect.arrayContaining([...CAPABILITIES]))
    expect(names.toSorted()).toEqual(WAYS.flatMap(way => [`${way}.yaml`, `${way}.tf`]).toSorted())
  })

  test('for hosts with Docker are there too, name no label of a node, and are no capability', () => {
    for (const name of DOCKER_HOST_EXAMPLES) {
      const text = readFileSync(join(EXAMPLES, name), 'utf8')
      expect(text).toContain('source  = "kreuzwerker/docker"')
      expect(text).not.toMatch(/kubernetes_|berth\.dev/)
      expect(WAYS).not.toContain(name.replace('.tf', ''))
    }
  })

  test.each(WAYS_AND_TEXTS)('of %s chooses its nodes by the labels that it means, and by no others', (way, text) => {
    expect(conditionsOf(podOf(text))).toEqual(MEANT[way])
    const keys = new Set([...text.matchAll(/[\w.-]+\.dev\/[\w-]+|kubernetes\.io\/arch/g)].map(([key]) => key))
    const resources = podOf(text).containers.flatMap(one => Object.keys(one.resources.limits))
    const named = [...MEANT[way].map(({ key }) => key), ...resources.filter(name => name.startsWith('berth.dev/'))]
    expect(keys).toEqual(new Set(named))
  })

  test.each(WAYS_AND_TEXTS)('of %s has a disk of its own of 50 to 100 GB', (_, text) => {
    const claims = objectsOf(text).filter(({ kind }) => kind === 'PersistentVolumeClaim')
    const sizes = claims.map(({ spec }) => (spec as { resources: { requests: { storage: string } } }).resources.requests.storage)
    expect(sizes).toEqual([expect.stringMatching(/^([5-9]\d|100)G$/)])
    const disk = { name: 'disk', persistentVolumeClaim: { claimName: claims[0]?.metadata.name } }
    expect(podOf(text).volumes).toContainEqual(disk)
    expect(podOf(text).containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name))).toContain('disk')
  })

  test('give privileges to those containers alone that cannot do without', () => {
    const privileged = Object.entries(pods).flatMap(([way, { containers }]) =>
      containers.filter(({ securityContext }) => securityContext?.['privileged'] === true).map(({ name }) => `${way}/${name}`)
    )
    expect(privileged.toSorted()).toEqual(['cached-cvm/dev', 'cvm/dev', 'gpu-cvm/dev', 'privileged/docker'])
  })

  test('mount of the node what CVMs need, and change nothing there but the libraries of the driver', () => {
    const paths = ({ volumes }: PodSpec) => volumes.map(({ hostPath }) => (hostPath as { path: string } | undefined)?.path)
    for (const way of ['cvm', 'cached-cvm'] as const) {
      expect(paths(pods[way]).filter(Boolean)).toEqual(['/usr/src', '/lib/modules'])
    }
    expect(paths(pods['gpu-cvm']).filter(Boolean)).toEqual(['/usr/src', '/lib/modules', '/usr/lib/x86_64-linux-gnu'])
    for (const way of ['gpu', 'podman', 'sysbox', 'systemd-sysbox', 'userns', 'kvm', 'privileged'] as const) {
      expect(paths(pods[way]).filter(Boolean)).toEqual([])
    }
    for (const { volumeMounts } of [pods.cvm, pods['cached-cvm'], pods['gpu-cvm']].flatMap(({ containers }) => containers)) {
      for (const mountPath of ['/usr/src', '/lib/modules'])
        expect(volumeMounts).toContainEqual(expect.objectContaining({ mountPath, readOnly: true }))
    }
  })

  test('of CVMs take credentials for a private registry where there are some', () => {
    const secretKeyRef = { name: 'workspace-registry', key: '.dockerconfigjson', optional: true }
    for (const [way, { containers }] of Object.entries(pods)) {
      const found = containers.flatMap(({ env = [] }) => env).filter(({ name }) => name === 'CODER_IMAGE_PULL_SECRET')
      expect([way, found.map(({ valueFrom }) => valueFrom)]).toEqual([way, way.endsWith('cvm') ? [{ secretKeyRef }] : []])
    }
  })

  test('ask for devices only where the capability is about them', () => {
    const devices = Object.entries(pods).map(([way, { containers }]) => [
      way,
      containers.flatMap(({ resources }) => Object.keys(resources.limits).filter(name => name.includes('/')))
    ])
    const none = ['cvm', 'cached-cvm', 'sysbox', 'userns', 'privileged', 'systemd-sysbox'].map(way => [way, []])
    const [fuse, kvm] = (['fuse-resources', 'kvm-resources'] as const).map(name => OPTIONS[name].fallback.split(',')[0])
    expect(Object.fromEntries(devices)).toEqual({
      ...Object.fromEntries(none),
      ...{ gpu: ['nvidia.com/gpu'], 'gpu-cvm': ['nvidia.com/gpu'], podman: [fuse], kvm: [kvm] }
    })
  })

  test('of Sysbox run with its runtime class in a user namespace, and hand no Docker data to a group', () => {
    const docker: string[] = []
    for (const [way, text] of WAYS_AND_TEXTS) {
      const ours = way.endsWith('sysbox')
      const inNamespace = ours || way === 'userns'
      const { runtimeClassName, hostUsers, securityContext } = podOf(text)
      expect([way, runtimeClassName, hostUsers]).toEqual([way, ours ? 'sysbox-runc' : undefined, inNamespace ? false : undefined])
      if (podOf(text).containers.some(one => one.volumeMounts.some(({ mountPath }) => /docker/.test(mountPath)))) {
        docker.push(way)
        expect([way, securityContext?.['fsGroup']]).toEqual([way, undefined])
      }
      const classes = objectsOf(text).filter(({ kind }) => kind === 'RuntimeClass')
      expect(classes).toEqual(
        ours
          ? [
              expect.objectContaining({
                metadata: { name: 'sysbox-runc' },
                handler: 'sysbox-runc',
                scheduling: { nodeSelector: { 'berth.dev/sysbox': 'true' } }
              })
            ]
          : []
      )
    }
    expect(docker).not.toEqual([])
  })

  test('of Podman is left what the measurements say it needs', () => {
    const [container] = pods.podman.containers
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: true,
      seccompProfile: { type: 'Unconfined' },
      appArmorProfile: { type: 'Unconfined' }
    })
    expect(pods.podman.securityContext).toMatchObject({ runAsUser: 1000, fsGroupChangePolicy: 'OnRootMismatch' })
  })
})

test('the bundle has the examples as they are, and none that it could not print', async () => {
  const entryPoints = [join(ROOT, 'src/commands/template/examples.ts')]
  const made = await build({ entryPoints, bundle: true, format: 'esm', write: false, plugins: [embeddedExamples] })
  const code = made.outputFiles[0]?.text ?? ''
  const { readExample } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
    readonly readExample: (name: string) => string
  }
  for (const name of names) expect(readExample(name)).toBe(readFileSync(join(EXAMPLES, name), 'utf8'))
  for (const name of DOCKER_HOST_EXAMPLES) expect(readExample(name)).toBeUndefined()
})
