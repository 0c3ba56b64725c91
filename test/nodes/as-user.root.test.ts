import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { FactName } from '../../src/facts/observe.ts'
import { temporary } from '../unit/host/temporary.ts'
import { AGENT, asUser } from './as-user.ts'
import { layOut } from './laid-out.ts'
import { machines } from './machines.ts'
import { type Machine, playedHost } from './played.ts'
import { answersOf, plainFact, see } from './sight.ts'

interface Look {
  readonly uid: number
  readonly facts: Readonly<Record<string, string>>
  readonly answers: Readonly<Record<string, string>>
}

const SCRIPT = fileURLToPath(new URL('look-as.ts', import.meta.url))

const lookAs = (uid: number, root: string, name: string): Look =>
  JSON.parse(execFileSync(process.execPath, [SCRIPT, `${uid}`, root, name], { encoding: 'utf8' })) as Look

/** The same from the recorded answers. */
async function played(uid: number, machine: Machine): Promise<Look> {
  const sight = await see(playedHost(machine), machine)
  const names = Object.keys(sight.facts) as FactName[]
  return { uid, facts: Object.fromEntries(names.map(name => [name, plainFact(sight.facts[name])])), answers: answersOf(sight) }
}

/** Without what the test's own machine decides: its architecture, its disk and its processor. */
function comparable({ uid, facts, answers }: Look) {
  const { architecture: _, inventory: __, ...rest } = facts
  const texts = Object.entries(rest).map(([name, text]) => [name, text.replaceAll(/"(free|total)":\d+/g, '"$1":0')])
  return { uid, facts: Object.fromEntries(texts), answers }
}

/** A node of each cloud, two old kernels whose lockdown is for root only, and one with Sysbox. */
const NAMES = [
  'gke-cos-6.6',
  'gke-ubuntu-20.04',
  'eks-al2023',
  'bottlerocket-raised',
  'aks-ubuntu-24.04',
  'aks-azure-linux-3',
  'rocky-8',
  'sysbox-running',
  'ubuntu-26.04'
] as const

describe.each(NAMES)('%s laid out as real files with the modes of a node', name => {
  // The answers of an amd64 machine are compared, which is what these are.
  const machine: Machine = { ...machines[name], arch: process.arch === 'x64' ? 'amd64' : process.arch } as Machine

  it('is to root, and to the user of the agent, what the recorded answers say', async () => {
    const root = temporary()
    await layOut(root, machine)
    expect(comparable(lookAs(0, root, name))).toEqual(comparable(await played(0, { ...machine, programs: {} })))
    expect(comparable(lookAs(AGENT, root, name))).toEqual(comparable(await played(AGENT, asUser(machine))))
  })
})

it('EACCES arrives from real files: of a list of profiles with mode 0440, and from below a kubelet root with mode 0750', async () => {
  const root = temporary()
  await layOut(root, machines['debian-12-no-headers'] as Machine)
  const [seen, hidden] = [lookAs(0, root, 'debian-12-no-headers'), lookAs(AGENT, root, 'debian-12-no-headers')]
  expect(seen.facts['apparmor']).not.toContain('EACCES')
  expect(hidden.facts['apparmor']).toContain('profiles cannot be read: EACCES')
  expect([seen.facts['seccomp-default'], hidden.facts['seccomp-default']]).toEqual(['{"value":"on"}', '{"value":"unseen"}'])
})
