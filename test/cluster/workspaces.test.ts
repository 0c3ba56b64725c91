import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXAMPLES } from '../../scripts/examples.ts'
import { ROOT } from '../../scripts/steps.ts'
import { nodePool, WAYS, type Way } from '../../src/commands/template/node-pool.ts'
import { OPTIONS } from '../../src/config.ts'
import { conditionsOf, type Manifest, MEANT, objectsOf, type PodSpec, podOf } from '../unit/workspaces.ts'
import { type Answer, succeeded } from './api.ts'
import { installKinds } from './kinds.ts'
import { pathOf } from './manifests.ts'
import { sharedControlPlane } from './shared.ts'
import { parseTerraform, podOfTemplate } from './terraform.ts'

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
test.each(['sysbox', 'systemd-sysbox'] as const)('the API server adds no volume to %s', async way => {
  const pod = objectsOf(read(`${way}.yaml`)).find(({ kind }) => kind === 'Pod') as Manifest
  const made = podOf(JSON.stringify(await succeeded(way, tried(pod, LEVELS.baseline))))
  const sent = pod['spec'] as PodSpec
  expect(made.volumes).toHaveLength(sent.volumes.length)
  expect(made.containers.map(({ volumeMounts }) => volumeMounts)).toEqual(sent.containers.map(({ volumeMounts }) => volumeMounts))
})

describe('a pool of nodes', () => {
  test.each(WAYS)('for %s is what Karpenter defines, every field by its name', async way => {
    const objects = objectsOf(nodePool(way, read(`${way}.yaml`), OPTIONS['startup-taint'].fallback))
    const more: Partial<Record<Way, readonly string[]>> = { cvm: ['EC2NodeClass'], podman: ['EC2NodeClass', 'NodeOverlay'] }
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
