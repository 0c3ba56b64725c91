import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXAMPLES } from '../../../packaging/examples.ts'
import { CommandError } from '../../../src/cli/command.ts'
import { parseConfig } from '../../../src/cli/config.ts'
import { WAYS } from '../../../src/commands/template/node-pool.ts'
import { template } from '../../../src/commands/template.ts'
import { FURTHER_LIMITS } from '../../../src/remedies/user-namespaces/further-limits.ts'
import { conditionsOf, MEANT, objectsOf, podOf } from '../workspaces.ts'

/** What `berth template …` prints. */
async function printed(...argv: readonly string[]): Promise<string> {
  let text = ''
  const clock = { elapsed: () => 0, now: () => new Date(0) }
  const status = await template(parseConfig(['template', ...argv], {}, {}), { print: part => (text += part), clock })
  expect(status).toBe(0)
  return text
}

const file = (name: string): string => readFileSync(join(EXAMPLES, name), 'utf8')
/** The device plugin's resources keep their domain; a label of the same name has the value "true". */
const RESOURCE = /berth\.dev\/(fuse\b|kvm"?( =|:) "?1)|resources\/berth\.dev\/kvm|for berth\.dev\/kvm/g
const taint = 'startup-taint.cluster-autoscaler.kubernetes.io/berth'

describe('an example', () => {
  test.each(WAYS)('of %s is printed as the file is', async way => {
    expect(await printed(way)).toBe(file(`${way}.yaml`))
    expect(await printed(way, '--as', 'pod')).toBe(file(`${way}.yaml`))
    expect(await printed(way, '--as', 'terraform')).toBe(file(`${way}.tf`))
  })

  test.each(WAYS)('of %s chooses nodes by the prefix that the labels have', async way => {
    const moved = MEANT[way].map(condition => ({ ...condition, key: condition.key.replace('berth.dev', 'x.example') }))
    expect(conditionsOf(podOf(await printed(way, '--label-prefix', 'x.example')))).toEqual(moved)
    for (const as of ['pod', 'terraform', 'nodepool']) {
      const text = await printed(way, '--label-prefix', 'x.example', '--as', as)
      expect(text.replaceAll(RESOURCE, '')).not.toContain('berth.dev')
      for (const { key } of moved.filter(({ operator }) => operator === 'In')) expect(text).toContain(key)
    }
  })

  test.each([
    ['podman', 'fuse'],
    ['kvm', 'kvm']
  ] as const)('of %s asks for the device %s under the name that this cluster has for it', async (way, device) => {
    for (const prefix of ['berth.dev', 'x.example']) {
      for (const as of ['pod', 'terraform', 'nodepool']) {
        const names = `squat.ai/${device},github.com/${device}`
        const text = await printed(way, '--as', as, '--label-prefix', prefix, `--${device}-resources`, names)
        expect(text).toMatch(new RegExp(`"?squat\\.ai/${device}"? *[:=] *"?1`))
        expect(text).not.toMatch(new RegExp(`"?(github\\.com|berth\\.dev|x\\.example)/${device}"? *[:=] *"?1`))
        expect(text).toContain(`${prefix}/${way}`)
      }
    }
  })

  test.each(['cvn', 'berth.dev/cvm', 'constructor', '../base/rbac', 'CVM'])(
    'of %j is not there, and those that are get named',
    async text => {
      const failure = await printed(text).catch(error => error)
      expect(failure).toBeInstanceOf(CommandError)
      expect(failure).toMatchObject({ status: 2, message: `unknown capability "${text}": expected ${WAYS.join(', ')}` })
    }
  )
})

describe('a pool of nodes', () => {
  test.each(WAYS)('for %s promises to Karpenter and the autoscaler what the pod asks for', async way => {
    const text = await printed(way, '--as', 'nodepool')
    const [pool] = objectsOf(text) as unknown as readonly [NodePool]
    expect(pool).toMatchObject({ apiVersion: 'karpenter.sh/v1', kind: 'NodePool' })
    const { requirements } = pool.spec.template.spec
    expect(requirements).toEqual(MEANT[way].filter(({ operator }) => operator === 'In'))
    const labels = requirements.map(({ key }) => key).filter(key => key.startsWith('berth.dev/'))
    const devices = podOf(await printed(way)).containers.flatMap(({ resources }) =>
      Object.keys(resources.limits).filter(name => name.includes('/'))
    )
    expect(tags(text)).toEqual([
      ...labels.map(key => [`label/${key}`, 'true']),
      [`taint/${taint}`, 'true:NoSchedule'],
      ...devices.map(name => [`resources/${name}`, '1'])
    ])
  })

  test.each(WAYS)('for %s starts its nodes with the taint that the agent takes away, wherever it is declared', async way => {
    for (const key of [taint, 'x.example/starting']) {
      const text = await printed(way, '--as', 'nodepool', '--startup-taint', key)
      const [pool] = objectsOf(text) as unknown as readonly [NodePool]
      expect(pool.spec.template.spec.startupTaints).toEqual([{ key, value: 'true', effect: 'NoSchedule' }])
      expect(text.split(`${key}=true:NoSchedule`)).toHaveLength(3) // GKE and AKS
      expect(tags(text).map(([name]) => name)).toContain(`taint/${key}`)
    }
  })

  test.each(['cvm', 'podman', 'userns'] as const)(
    'for %s starts Bottlerocket with the sysctls that the remedy would set',
    async way => {
      const [pool, nodeClass] = objectsOf(await printed(way, '--as', 'nodepool')) as unknown as readonly [NodePool, NodeClass]
      expect(pool.spec.template.spec.nodeClassRef).toMatchObject({ kind: 'EC2NodeClass', name: nodeClass.metadata.name })
      const settings = nodeClass.spec.userData.trim().split('\n')
      expect(settings).toEqual([
        '[settings.kernel.sysctl]',
        '"user.max_user_namespaces" = "65536"',
        ...Object.entries(FURTHER_LIMITS).map(([name, value]) => `"${name}" = "${value}"`)
      ])
    }
  )

  test.each([
    ['podman', 'fuse'],
    ['kvm', 'kvm']
  ] as const)('for %s declares to Karpenter a device that no instance has by itself', async (way, device) => {
    const [pool, ...others] = objectsOf(await printed(way, '--as', 'nodepool'))
    const [overlay, ...more] = others.filter(({ kind }) => kind !== 'EC2NodeClass')
    expect(more).toEqual([])
    expect(overlay).toMatchObject({
      kind: 'NodeOverlay',
      spec: {
        requirements: [{ key: 'karpenter.sh/nodepool', operator: 'In', values: [pool?.metadata.name] }],
        capacity: { [`berth.dev/${device}`]: '1' }
      }
    })
  })

  test('for others declares no device', async () => {
    for (const way of WAYS.filter(name => name !== 'podman' && name !== 'kvm'))
      expect(objectsOf(await printed(way, '--as', 'nodepool')).map(({ kind }) => kind)).not.toContain('NodeOverlay')
  })

  test('has tags that AWS takes: at most 128 characters', async () => {
    for (const way of WAYS) {
      for (const [name] of tags(await printed(way, '--as', 'nodepool')))
        expect(`k8s.io/cluster-autoscaler/node-template/${name}`).toMatch(/^[\w.:/=+@-]{1,128}$/)
    }
  })
})

interface NodeClass {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly userData: string }
}

interface NodePool {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly requirements: readonly { readonly key: string }[]
        readonly nodeClassRef: unknown
        readonly startupTaints: unknown
      }
    }
  }
}

const tags = (text: string): readonly (readonly [string, string])[] =>
  [...text.matchAll(/^# {3}k8s\.io\/cluster-autoscaler\/node-template\/(\S+): "([^"]+)"/gm)].map(
    ([, name = '', value = '']) => [name, value] as const
  )
