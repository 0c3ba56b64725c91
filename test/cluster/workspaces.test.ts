import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DOCKER_HOST_EXAMPLES, EXAMPLES } from '../../packaging/examples.ts'
import { ROOT } from '../../packaging/root.ts'
import { OPTIONS } from '../../src/cli/options/all.ts'
import { nodePool, WAYS, type Way } from '../../src/commands/template/node-pool.ts'
import { type Answer, succeeded } from '../support/cluster/api.ts'
import { pathOf } from '../support/cluster/manifests.ts'
import { conditionsOf, type Manifest, MEANT, objectsOf, type PodSpec, podOf } from '../unit/workspaces.ts'
import { installKinds } from './kinds.ts'
import { sharedControlPlane } from './shared.ts'
import { type DockerTemplate, parseTerraform, podOfTemplate } from './terraform.ts'

const shared = sharedControlPlane()
const read = (name: string): string => readFileSync(join(EXAMPLES, name), 'utf8')

/** Namespaces of their own, one a Pod Security level; a pod is refused without the account that controllers would make. */
const LEVELS = { privileged: 'examples-privileged', baseline: 'examples-baseline' } as const

beforeAll(async () => {
  await installKinds(shared)
  for (const [level, name] of Object.entries(LEVELS)) {
    const labels = { 'pod-security.kubernetes.io/enforce': level }
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } } as Manifest)
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } })
  }
  // A dry run keeps nothing, and the pods after it need their class.
  for (const object of objectsOf(read('sysbox.yaml'))) if (object.kind === 'RuntimeClass') await apply(object)
})

afterAll(async () => {
  await shared.api('DELETE', '/apis/node.k8s.io/v1/runtimeclasses/sysbox-runc')
})

const apply = (object: Manifest): Promise<unknown> => succeeded(`apply ${object.kind}`, send(object, ''))

const send = <T>(object: Manifest, more: string): Promise<Answer<T>> => {
  const path = `${pathOf(object)}?fieldManager=installer&force=true&fieldValidation=Strict${more}`
  return shared.api<T>('PATCH', path, object, 'application/apply-patch+yaml')
}

const OF_NO_NAMESPACE = ['RuntimeClass', 'NodePool', 'NodeOverlay', 'EC2NodeClass']

/** As `kubectl apply --namespace … --dry-run=server`. */
const tried = (object: Manifest, namespace: string) => {
  const within = OF_NO_NAMESPACE.includes(object.kind) ? object : { ...object, metadata: { ...object.metadata, namespace } }
  return send<Manifest & { readonly message?: string }>(within, '&dryRun=All')
}

describe('the API server', () => {
  test.each(WAYS)('takes %s, every field by its name, and leaves its choice of nodes as it is', async way => {
    const objects = objectsOf(read(`${way}.yaml`))
    for (const object of objects) {
      const made = await succeeded(`${way}: ${object.kind}`, tried(object, LEVELS.privileged))
      if (object.kind === 'Pod') expect(conditionsOf(made['spec'] as PodSpec)).toEqual(MEANT[way])
    }
  })

  test('refuses those that need privileges where they are not allowed, and takes the others there too', async () => {
    const refused: Way[] = []
    for (const way of WAYS) {
      const pod = objectsOf(read(`${way}.yaml`)).find(({ kind }) => kind === 'Pod') as Manifest
      const { status, body } = await tried(pod, LEVELS.baseline)
      if (status === 403) {
        expect(body.message).toContain('violates PodSecurity "baseline')
        refused.push(way)
      } else expect([way, status]).toEqual([way, 201])
    }
    expect(refused).toEqual(['cvm', 'cached-cvm', 'gpu-cvm', 'podman', 'privileged'])
  })
})

// To kubernetes_manifest it is an error when the API server answers with a list that is longer than the one it was sent.
test.each(['sysbox', 'systemd-sysbox', 'userns'] as const)('the API server adds no volume to %s', async way => {
  const pod = objectsOf(read(`${way}.yaml`)).find(({ kind }) => kind === 'Pod') as Manifest
  const made = podOf(JSON.stringify(await succeeded(way, tried(pod, LEVELS.baseline))))
  const sent = pod['spec'] as PodSpec
  expect(made.volumes).toHaveLength(sent.volumes.length)
  expect(made.containers.map(({ volumeMounts }) => volumeMounts)).toEqual(sent.containers.map(({ volumeMounts }) => volumeMounts))
})

describe('a pool of nodes', () => {
  test.each(WAYS)('for %s is what Karpenter defines, every field by its name', async way => {
    const objects = objectsOf(nodePool(way, read(`${way}.yaml`), OPTIONS['startup-taint'].fallback))
    const more: Partial<Record<Way, readonly string[]>> = {
      cvm: ['EC2NodeClass'],
      podman: ['EC2NodeClass', 'NodeOverlay'],
      userns: ['EC2NodeClass'],
      kvm: ['NodeOverlay']
    }
    expect(objects.map(({ kind }) => kind)).toEqual(['NodePool', ...(more[way] ?? [])])
    for (const object of objects)
      expect(await tried(object, LEVELS.baseline)).toMatchObject({ status: 201, body: { kind: object.kind } })
  })

  test('with a requirement that Karpenter does not allow is refused', async () => {
    const example = read('cvm.yaml').replaceAll('berth.dev/', 'karpenter.sh/')
    const [pool] = objectsOf(nodePool('cvm', example, OPTIONS['startup-taint'].fallback)) as readonly [Manifest]
    expect(await tried(pool, LEVELS.baseline)).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('restricted') }
    })
  })
})

describe('the Coder template', () => {
  test.each(WAYS)('of %s makes the pod of the example, with an agent inside', async way => {
    const template = await parseTerraform(read(`${way}.tf`))
    const pod = podOfTemplate(template)
    expect(conditionsOf(pod)).toEqual(MEANT[way])
    expect(shape(pod)).toEqual(shape(podOf(read(`${way}.yaml`))))
    expect(JSON.stringify(pod.containers)).toContain('coder_agent.main.token')
    const [{ validation }] = template.data.coder_parameter.disk
    expect(template.terraform[0].required_providers[0]['kubernetes']).toMatchObject({ version: '>= 2.16.0' })
    expect(variables(pod)).toEqual(expect.arrayContaining([...variables(podOf(read(`${way}.yaml`)))]))
    expect(validation).toEqual([expect.objectContaining({ min: 50, max: 100 })])
  })

  test('that is none is refused', async () => {
    await expect(parseTerraform('resource "a" {')).rejects.toThrow(/Unclosed|Argument or block|expected/i)
  })
})

/** As Terraform writes a value of another place inside a text. */
const reference = (place: string): string => `\${${place}}`

describe('the Coder template for a host with Docker', () => {
  const mounts = (volumes: readonly { readonly container_path: string; readonly volume_name: string }[]) =>
    Object.fromEntries(volumes.map(volume => [volume.container_path, volume.volume_name]))
  const kept = { '/home/coder': reference('docker_volume.home.name'), '/var/lib/docker': reference('docker_volume.docker.name') }

  test('and Sysbox is one container of that runtime without privileges, whose home and images are kept', async () => {
    const { resource } = await parseTerraform<DockerTemplate>(read('docker-sysbox.tf'))
    const { workspace, ...others } = resource.docker_container
    expect(others).toEqual({})
    expect(workspace?.[0]).toMatchObject({
      runtime: 'sysbox-runc',
      env: [`CODER_AGENT_TOKEN=${reference('coder_agent.main.token')}`]
    })
    expect(workspace?.[0]).not.toHaveProperty('privileged')
    expect(mounts(workspace?.[0].volumes ?? [])).toEqual(kept)
    expect(Object.keys(resource.docker_volume).toSorted()).toEqual(['docker', 'home'])
  })

  test('and a privileged sidecar gives privileges to Docker alone, which only its workspace can reach', async () => {
    const { resource } = await parseTerraform<DockerTemplate>(read('docker-privileged.tf'))
    const { workspace, docker } = resource.docker_container
    expect(Object.keys(resource.docker_container).toSorted()).toEqual(['docker', 'workspace'])
    expect(docker?.[0]).toMatchObject({ privileged: true, image: 'docker:dind' })
    expect(workspace?.[0]).not.toHaveProperty('privileged')
    expect(mounts(docker?.[0].volumes ?? [])).toEqual(kept)
    expect(mounts(workspace?.[0].volumes ?? [])).toEqual({ '/home/coder': kept['/home/coder'] })
    // Containers of one host share its bridge unless they have a network of their own.
    const name = reference('docker_network.private.name')
    expect(docker?.[0].networks_advanced).toEqual([{ name, aliases: ['docker'] }])
    expect(workspace?.[0].networks_advanced).toEqual([{ name }])
    expect(resource.docker_network?.['private']?.[0].name).toContain(reference('data.coder_workspace.me.id'))
    const [, port] = /^tcp:\/\/0\.0\.0\.0:(\d+)$/.exec(docker?.[0].command[2] ?? '') ?? []
    expect(workspace?.[0].env).toContain(`DOCKER_HOST=tcp://docker:${port}`)
  })

  test.each(DOCKER_HOST_EXAMPLES)('%s is none of `berth template`', async name => {
    const argv = ['dist/berth.mjs', 'template', name.replace('.tf', ''), '--as', 'terraform']
    const { exitCode, stderr } = await execa(process.execPath, argv, { cwd: ROOT, reject: false })
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('unknown capability')])
  })
})

test('the bundle prints an example as the file is', async () => {
  const argv = ['dist/berth.mjs', 'template', 'systemd-sysbox', '--as', 'terraform']
  const { stdout } = await execa(process.execPath, argv, { cwd: ROOT, stripFinalNewline: false })
  expect(stdout).toBe(read('systemd-sysbox.tf'))
})

/** The names of what the example sets; of its own the template has those of Coder's agent. */
const variables = ({ containers }: PodSpec): readonly string[] =>
  containers.flatMap(({ name, env = [] }) => env.map(variable => `${name}: ${variable.name}`))

/**
 * What a pod and its template have in common: not the agent, so neither commands nor variables; the name of a claim is the user's; and
 * AppArmor is an annotation there. Terraform has texts for numbers.
 */
function shape({ containers, volumes, nodeSelector: _, affinity: __, ...rest }: PodSpec): unknown {
  return asTexts({
    ...rest,
    containers: containers.map(({ name, image, securityContext, resources, volumeMounts }) => {
      const { appArmorProfile: _, ...security } = securityContext ?? {}
      return { name, image, security, resources, volumeMounts }
    }),
    volumes: volumes.map(({ persistentVolumeClaim, ...volume }) => ({ ...volume, claimed: persistentVolumeClaim !== undefined }))
  })
}

const asTexts = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, part: unknown) => (typeof part === 'object' ? part : `${part}`))
