import { describe, expect, test } from 'vitest'
import { DETECTOR_NAMES } from '../../../src/facts/all.ts'
import type { Sources } from '../../../src/facts/define-fact.ts'
import { parseNode } from '../../../src/facts/node-object.ts'
import { observe } from '../../../src/facts/observe.ts'
import { TRIALS, untried } from '../../../src/facts/proofs.ts'
import { HostError, type HostReader } from '../../../src/host/host.ts'
import { localHost } from '../../../src/host/local.ts'
import { recordedHost } from '../../../src/host/recorded.ts'
import { pretendHost } from '../host/pretend.ts'
import { temporary } from '../host/temporary.ts'
import { proofs } from '../node-facts.ts'

const NAMES = DETECTOR_NAMES
const sources = (host: HostReader) => ({ host, node: undefined, podSecurity: undefined })
const clock = () => {
  let now = 0
  return () => {
    now += 1
    return now
  }
}

const everything = <T>(answer: (path: string) => Promise<T>): HostReader =>
  pretendHost({
    read: answer as HostReader['read'],
    lines: answer as HostReader['lines'],
    list: answer as HostReader['list'],
    stat: answer as HostReader['stat'],
    realpath: answer as HostReader['realpath'],
    statfs: answer as HostReader['statfs'],
    run: argv => answer(argv.join(' ')) as Promise<undefined>,
    arch: async () => 'amd64',
    inventory: async () => undefined
  })

describe('one observation', () => {
  test('of a node that refuses every read has a reason for each fact', async () => {
    const { facts } = await observe(
      sources(
        everything(async path => {
          throw new HostError(path, 'EACCES', { says: 'EACCES (permission denied)' })
        })
      ),
      clock()
    )
    const told = NAMES.filter(name => facts[name].known)
    // These are about this process, or hold their failures as a value.
    expect(
      told.filter(
        name => !['architecture', 'apparmor', 'pod-security', 'proofs', 'resource-slices', 'seccomp-default'].includes(name)
      )
    ).toEqual([])
    for (const name of NAMES) {
      const fact = facts[name]
      if (!fact.known) expect(fact.why).not.toBe('')
    }
    expect(facts.shiftfs.known).toBe(false)
  })

  test('of an empty root ends, and does not take missing files below an unmounted /proc or /sys as an answer', async () => {
    const { facts } = await observe(
      sources(localHost(temporary({ proc: 'directory/', sys: 'directory/', dev: 'directory/' }))),
      clock()
    )
    for (const name of [
      'kernel',
      'distro',
      'kernel-modules',
      'user-namespaces',
      'seccomp',
      'selinux',
      'apparmor',
      'yama',
      'secure-boot',
      'lockdown',
      'storage',
      'machine'
    ] as const) {
      expect([name, facts[name].known]).toEqual([name, false])
    }
  })

  test('of this machine knows its kernel, and every detector has evidence or a reason', async () => {
    const { facts, durations } = await observe(sources(localHost('/')), clock())
    expect(facts.kernel.known && facts.kernel.value.release).toMatch(/^\d+\.\d+/)
    for (const name of NAMES) {
      const fact = facts[name]
      expect([
        name,
        fact.evidence.length > 0 || ['pod-security', 'proofs', 'resource-slices'].includes(name) || !fact.known
      ]).toEqual([name, true])
      expect(durations[name]).toBeGreaterThan(0)
    }
  })

  test('takes the helper’s proofs unchanged, with each trial as evidence', async () => {
    const given = proofs({ procfs: 'works' })
    const { facts } = await observe({ ...sources(everything(async () => undefined)), proofs: given }, clock())
    expect(facts.proofs).toMatchObject({ known: true, value: given })
    expect(facts.proofs.evidence).toHaveLength(TRIALS.length)
    expect(facts.proofs.evidence).toContainEqual({ source: 'trial procfs', saw: 'works: procfs was seen' })
  })

  test('without a helper has every trial untried', async () => {
    const { facts } = await observe(sources(everything(async () => undefined)), clock())
    expect(facts.proofs).toEqual({ known: true, value: untried('no privileged helper runs on this node'), evidence: [] })
  })

  test('reads every file of the node once', async () => {
    // Different kinds of questions may be asked about one path, the same one never twice.
    const reads: string[] = []
    await observe(
      sources({ ...everything(async () => undefined), read: async path => void reads.push(path) as undefined }),
      clock()
    )
    expect(reads.length).toBe(new Set(reads).size)
    expect(reads).toContain('/proc/sys/kernel/osrelease')
  })

  test('throws a bug instead of making the fact unknown', async () => {
    const broken = everything(async () => {
      throw new TypeError('a bug')
    })
    await expect(observe(sources(broken), clock())).rejects.toThrow('a bug')
  })

  test('has the Pod Security level only if it was read', async () => {
    const host = everything(async () => undefined)
    const level = async (podSecurity: Sources['podSecurity']) =>
      (await observe({ host, node: undefined, podSecurity }, clock())).facts['pod-security']
    expect(await level(undefined)).toMatchObject({ known: true, value: { asked: false } })
    expect(await level({ ok: true, value: 'baseline' })).toMatchObject({ known: true, value: { asked: true, level: 'baseline' } })
    expect(await level({ ok: false, why: 'forbidden (403)' })).toMatchObject({ known: false, why: 'forbidden (403)' })
  })

  test('shows the devices of ResourceSlices as evidence if they were read', async () => {
    const host = everything(async () => undefined)
    const seen = async (resourceSlices?: Sources['resourceSlices']) =>
      (await observe({ ...sources(host), resourceSlices }, clock())).facts['resource-slices']
    expect(await seen()).toEqual({ known: true, value: { asked: false }, evidence: [] })
    expect(await seen({ ok: true, value: { devices: 8, tainted: 0 } })).toMatchObject({
      value: { asked: true, devices: 8 },
      evidence: [{ source: 'ResourceSlices of gpu.nvidia.com', saw: '8 devices' }]
    })
    expect(await seen({ ok: false, why: 'forbidden (403)' })).toMatchObject({ known: false, why: 'forbidden (403)' })
  })

  test('returns frozen facts', async () => {
    const { facts } = await observe(sources(everything(async () => undefined)), clock())
    expect(Object.isFrozen(facts)).toBe(true)
  })
})

describe('the evidence of an observation', () => {
  const factsOf = async (host: HostReader, node?: Sources['node']) =>
    (await observe({ host, node, podSecurity: undefined }, clock())).facts

  test('says where each fact was read and what was seen there', async () => {
    const host = everything(async path => (path === '/proc/sys/kernel/osrelease' ? '6.1.66\n' : undefined) as never)
    expect((await factsOf(host)).kernel).toEqual({
      known: true,
      value: { release: '6.1.66', major: 6, minor: 1 },
      evidence: [{ source: '/proc/sys/kernel/osrelease', saw: '6.1.66' }]
    })
  })

  test('omits that /proc is mounted, and shows if it is not', async () => {
    const mounted = {
      ...everything(async () => undefined),
      stat: async () => ({ kind: 'directory', mode: 0o555, device: '' }) as const
    }
    const sources = ({ evidence }: { readonly evidence: readonly { readonly source: string }[] }) =>
      evidence.map(({ source }) => source)
    expect(sources((await factsOf(mounted)).yama)).toEqual(['/proc/sys/kernel/yama/ptrace_scope'])
    expect(sources((await factsOf(everything(async () => undefined))).yama)).toEqual(['/proc/sys/kernel'])
    expect(sources((await factsOf(mounted)).fuse), 'another question of the same kind').toContain('/proc/filesystems')
  })

  test('of a given Node is its name and its versions, and other given values have none', async () => {
    const node = parseNode({
      kind: 'Node',
      metadata: { name: 'n1' },
      status: { nodeInfo: { kubeletVersion: 'v1.33.4', containerRuntimeVersion: 'containerd://1.7.27' } }
    })
    const facts = await factsOf(
      everything(async () => undefined),
      node
    )
    expect(facts.node.evidence).toEqual([{ source: 'Node n1', saw: 'v1.33.4, containerd://1.7.27' }])
    expect(facts['pod-security'].evidence).toEqual([])
    expect((await factsOf(everything(async () => undefined))).node.evidence).toEqual([])
  })

  test('has its duration in seconds by the clock', async () => {
    let now = 10_000
    const host = {
      ...everything(async () => undefined),
      arch: async () => {
        now = 11_500
        return 'amd64'
      }
    }
    const { durations } = await observe(sources(host), () => now)
    expect(durations.architecture).toBe(1.5)
  })

  test('does not describe another machine than the observed one', async () => {
    const { inventory } = await factsOf(everything(async () => undefined))
    expect(inventory).toMatchObject({
      known: false,
      why: 'the host root belongs to another machine than the one this process runs on'
    })
  })
})

test('a recorded node without an answer leaves that fact unknown, and names the missing answer', async () => {
  const host = recordedHost({ schema: 1, arch: 'amd64', paths: { '/proc/sys/kernel/osrelease': { text: '6.8.0\n' } } })
  const { facts } = await observe({ host, node: undefined, podSecurity: undefined }, () => 0)
  expect(facts.kernel).toMatchObject({ known: true, value: { release: '6.8.0' } })
  expect(facts.fuse).toMatchObject({
    known: false,
    why: expect.stringContaining('the recorded node has no answer to: stat /proc')
  })
})
