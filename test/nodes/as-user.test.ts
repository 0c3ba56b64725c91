import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseRecording } from '../../src/host/recorded.ts'
import { asUser } from './as-user.ts'
import { claims } from './damage.ts'
import { machines } from './machines.ts'
import { READABLE, ROOT_ONLY } from './modes.ts'
import { type Machine, playedHost } from './played.ts'
import { recordingFile } from './recordings.ts'
import { answersOf, type Sight, see } from './sight.ts'

/**
 * No file of this virtual machine shows that it is one. Only systemd-detect-virt knows, which the agent cannot run from its pod, so it
 * takes the machine for metal. It has no GPU, so no capability follows from that.
 */
const KNOWN_FALSE: Readonly<Record<string, readonly string[]>> = { 'debian-12-detect-virt': ['bare metal'] }

describe.each(Object.entries(machines) as [string, Machine][])('%s as the agent sees it', (name, machine) => {
  const user = asUser(machine)
  const { answers = {}, because = '' } = machine.expectedAsUser ?? {}
  let sight: Sight
  beforeAll(async () => {
    sight = await see(playedHost(user), user)
  })

  it('hosts what root says, but where the machine expects otherwise, and says why', () => {
    expect(answersOf(sight)).toEqual({ ...machine.expected, ...answers })
    for (const [capability, answer] of Object.entries(answers)) {
      const verdict = sight.verdicts[capability as keyof typeof answers]
      expect(answer, 'an expectation that says nothing new').not.toBe(machine.expected[capability as keyof typeof answers])
      expect(verdict.reasons.join('\n')).toContain(because)
      expect(verdict.wayOut).not.toEqual([])
    }
  })

  it('claims nothing that root does not', async () => {
    const root = await claims(playedHost(machine), machine)
    const fresh = [...(await claims(playedHost(user), user))].filter(claim => !root.has(claim))
    expect(fresh).toEqual(KNOWN_FALSE[name] ?? [])
  })
})

describe('the tables of modes', () => {
  const asked = new Set(
    Object.keys(machines).flatMap(name => Object.keys(parseRecording(readFileSync(recordingFile(name), 'utf8')).paths))
  )
  const isRootOnly = (path: string) => ROOT_ONLY.some(each => path === each.path || path.startsWith(`${each.path}/`))

  it('say of every path that a recorded node was asked for whether a user may read it', () => {
    const undecided = [...asked].filter(path => !isRootOnly(path) && !READABLE.some(([pattern]) => pattern.test(path)))
    expect(undecided).toEqual([])
  })

  it('name nothing that no node is asked for, and no path twice', () => {
    const paths = [...asked]
    expect(READABLE.filter(([pattern]) => !paths.some(path => pattern.test(path))).map(String)).toEqual([])
    expect(ROOT_ONLY.filter(each => !paths.some(path => path === each.path || path.startsWith(`${each.path}/`)))).toEqual([])
    expect(paths.filter(path => isRootOnly(path) && READABLE.some(([pattern]) => pattern.test(path)))).toEqual([])
  })

  it('let others do nothing where only root may', () => {
    expect(ROOT_ONLY.filter(({ mode }) => (mode & 0o007) !== 0)).toEqual([])
  })
})
