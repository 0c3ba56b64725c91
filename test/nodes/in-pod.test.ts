import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FactName } from '../../src/facts/observe.ts'
import { parseRecording } from '../../src/host/recorded.ts'
import type { Capability } from '../../src/verdicts/all.ts'
import { asUser } from './as-user.ts'
import { claims } from './damage.ts'
import { inPod, mountedBy } from './in-pod.ts'
import { machines } from './machines.ts'
import { type Machine, playedHost } from './played.ts'
import { recordingFile } from './recordings.ts'
import { answersOf, plainFact, type Sight, see, unlike } from './sight.ts'

const BASE = mountedBy('base/daemonset.yaml')
const COMPONENTS = ['sysbox', 'gpu-operator', 'ostree'] as const
const EVERYTHING = [...BASE, ...COMPONENTS.flatMap(name => mountedBy(`components/${name}/daemonset.yaml`))]

/** What the pod of the base does not know although its user could read it: facts by the component that brings them. */
const NEEDS: readonly (readonly [machines: RegExp, component: (typeof COMPONENTS)[number], facts: readonly FactName[]])[] = [
  [/^sysbox-/, 'sysbox', ['sysbox', 'sysbox-storage']],
  [/^dell-a100-operator$/, 'gpu-operator', ['nvidia-devices', 'nvidia-library']],
  // The mount table tells whether there is a driver container.
  [/^(unreadable|no-proc)$/, 'gpu-operator', ['nvidia-library']]
]

/** They say something else there, and as much. */
const OTHERWISE: Readonly<Record<string, readonly FactName[]>> = {
  // No kubelet was recorded, and an agent's pod always has one.
  'sysbox-docker-host': ['storage'],
  // Processes are hidden for another reason, or not looked for: units of systemd tell.
  'sysbox-hidepid': ['sysbox'],
  'sysbox-pid-reused': ['sysbox']
}

/** Where an administrator has put Sysbox's data, which no component can know; they mount it too. */
const DATA_ROOTS: Readonly<Record<string, readonly string[]>> = {
  'sysbox-data-on-nfs': ['/mnt/data/sysbox'],
  'sysbox-data-moved': ['/mnt/nvme/sysbox']
}

const needsOf = (name: string) => NEEDS.filter(([pattern]) => pattern.test(name))

async function sights(machine: Machine, mounted: readonly string[]): Promise<readonly [asUser: Sight, inPod: Sight]> {
  const user = asUser(machine)
  const pod = await inPod(machine, mounted)
  return [await see(playedHost(user), user), await see(pod.host, pod.machine)]
}

describe.each(Object.entries(machines) as [string, Machine][])('%s as the agent sees it from its pod', (name, machine) => {
  it('is the same node, but for what a component of the manifests brings, and that is unknown and says which', async () => {
    const [user, pod] = await sights(machine, BASE)
    const needed = needsOf(name).flatMap(([, , facts]) => facts)
    expect(unlike(user, pod).filter(fact => !needed.includes(fact) && !OTHERWISE[name]?.includes(fact))).toEqual([])
    const changed = Object.entries(answersOf(pod)).filter(([label, answer]) => answer !== answersOf(user)[label])
    for (const [label, answer] of changed) {
      expect(answer, label).toBe('unknown')
      const reasons = pod.verdicts[label as Capability]?.reasons.join('\n')
      expect(reasons).toContain(`it is not mounted into the agent's pod; add components/${needsOf(name)[0]?.[1]}`)
    }
  })

  it('is the same node, with everything that the components mount', async () => {
    const [user, pod] = await sights(machine, [...EVERYTHING, ...(DATA_ROOTS[name] ?? [])])
    expect(unlike(user, pod).filter(fact => !OTHERWISE[name]?.includes(fact))).toEqual([])
    expect(answersOf(pod)).toEqual(answersOf(user))
  })

  it('claims nothing from there that it does not as its user', async () => {
    const user = asUser(machine)
    const known = await claims(playedHost(user), user)
    for (const mounted of [BASE, EVERYTHING, BASE.filter(path => path !== '/proc/1/mountinfo'), ['/proc/1/mountinfo'], []]) {
      const pod = await inPod(machine, mounted)
      expect([...(await claims(pod.host, pod.machine))].filter(claim => !known.has(claim))).toEqual([])
    }
  })

  it.each(BASE)('claims nothing more where %s is not mounted', async path => {
    const user = asUser(machine)
    const known = await claims(playedHost(user), user)
    const pod = await inPod(
      machine,
      BASE.filter(other => other !== path)
    )
    expect([...(await claims(pod.host, pod.machine))].filter(claim => !known.has(claim))).toEqual([])
  })
})

/** What agents ask for and no manifest mounts, and why nothing hangs on it. */
const LEFT_OUT: readonly (readonly [path: RegExp, why: string])[] = [
  [/^\/boot\/config-/, 'from kernel 5.4 on /sys tells whether signatures are enforced'],
  [/^\/proc(\/\d+\/comm)?$/, 'names of other processes: units of systemd tell whether the daemons of Sysbox run'],
  [/^\/run\/sysctl\.d/, 'only a part of a reason'],
  [/^\/var\/lib\/kubelet\/config\.yaml$/, 'for root only on most nodes; not seen is an ordinary answer'],
  [
    /^(\/data|\/var|\/var\/lib\/k0s|\/var\/snap\/microk8s\/common\/var\/lib)(\/kubelet)?$/,
    'the mounts of the node tell where the kubelet has its root'
  ]
]

it('every path that a node is asked for is mounted by the base or a component, or is left out for a reason', () => {
  const asked = new Set(
    Object.keys(machines).flatMap(name => Object.keys(parseRecording(readFileSync(recordingFile(name), 'utf8')).paths))
  )
  const isOwn = (path: string) => /^\/proc\/(?!\d+(\/|$))./.test(path)
  const isMounted = (path: string) => EVERYTHING.some(place => path === place || path.startsWith(`${place}/`))
  const open = [...asked].filter(path => !isOwn(path) && !isMounted(path) && !Object.values(DATA_ROOTS).flat().includes(path))
  expect(open.filter(path => !LEFT_OUT.some(([pattern]) => pattern.test(path)))).toEqual([])
  expect(LEFT_OUT.filter(([pattern]) => ![...asked].some(path => pattern.test(path))).map(String)).toEqual([])
})

it('every difference that is allowed for is one', async () => {
  const found = await Promise.all(
    Object.entries(machines).map(async ([name, machine]) => {
      const [user, pod] = await sights(machine as Machine, BASE)
      return [name, unlike(user, pod).map(fact => [fact, plainFact(pod.facts[fact])])] as const
    })
  )
  const differing = (pattern: RegExp) =>
    new Set(found.filter(([name]) => pattern.test(name)).flatMap(([, facts]) => facts.map(([fact]) => fact)))
  for (const [pattern, , facts] of NEEDS) for (const fact of facts) expect(differing(pattern)).toContain(fact)
  for (const [name, facts] of Object.entries(OTHERWISE))
    for (const fact of facts) expect(differing(new RegExp(`^${name}$`))).toContain(fact)
})
