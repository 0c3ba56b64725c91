import fc from 'fast-check'
import { parseConfig } from '../../src/cli/config.ts'
import { DETECTOR_NAMES, type DetectorName } from '../../src/facts/all.ts'
import type { Sources } from '../../src/facts/define-fact.ts'
import { parseNode } from '../../src/facts/node-object.ts'
import { type DetectedFacts, type NodeFacts, observe, observeFact, withDerived } from '../../src/facts/observe.ts'
import { HostError, type HostReader, matchingLines } from '../../src/host/host.ts'
import { type RecordedPath, type Recording, recordedHost, UnrecordedError } from '../../src/host/recorded.ts'
import { PERMITS } from '../../src/remedies/all.ts'
import { plan } from '../../src/remedies/plan.ts'
import { decide } from '../../src/verdicts/decide.ts'
import type { Policy } from '../../src/verdicts/policy.ts'
import { type Machine, playedHost } from './played.ts'
import { CLOCK } from './recordings.ts'

/** One file of a node made unreadable, cut short or filled with garbage. */
export interface Damage {
  readonly path: string
  readonly how: string
  readonly entry: RecordedPath
}

const policyWith = (...argv: readonly string[]): Policy => parseConfig(['report', ...argv], {}, {}).policy

/** The rules as they are, and with everything allowed that an operator can allow. */
const POLICIES = {
  default: policyWith(),
  lenient: policyWith(
    '--gpu-in-virtual-machines=allow',
    '--shiftfs-outside-ubuntu=allow',
    '--apparmor-userns=allow',
    '--selinux-podman=allow',
    '--privileged-workspaces=allowed'
  )
} as const

/** Everything that a look can come to and that must not come of damage: each capability, bare metal, and each remedy. */
export async function claims(host: HostReader, machine: Machine): Promise<ReadonlySet<string>> {
  const { facts } = await observe(sourcesOf(host, machine), CLOCK.elapsed)
  return claimsOf(facts)
}

const sourcesOf = (host: HostReader, { node }: Machine): Sources => ({
  host,
  node: node && parseNode(node),
  podSecurity: undefined
})

function claimsOf(facts: NodeFacts): ReadonlySet<string> {
  const verdicts = Object.entries(POLICIES).flatMap(([name, policy]) =>
    Object.entries(decide(facts, policy))
      .filter(([, { answer }]) => answer === 'yes')
      .map(([capability]) => `${capability} (${name})`)
  )
  const remedies = plan(facts, { permits: PERMITS, maxUserNamespaces: 65_536, policy: POLICIES.lenient })
    .filter(({ decision }) => decision === 'apply')
    .map(({ remedy }) => `remedy ${remedy}`)
  const metal = facts.machine.known && facts.machine.value.kind === 'bare-metal' ? ['bare metal'] : []
  return new Set([...verdicts, ...remedies, ...metal])
}

/** The recorded node with one damage. What only the damaged node is asked (the modules of another kernel), the machine answers. */
export function damaged(recording: Recording, played: HostReader, { path, entry }: Damage): HostReader {
  const recorded = recordedHost({ ...recording, paths: { ...recording.paths, [path]: entry } })
  const both = (verb: keyof HostReader) => {
    const [first, second] = [recorded[verb], played[verb]] as ((...args: unknown[]) => Promise<unknown>)[]
    return async (...args: unknown[]) => {
      try {
        return await first?.(...args)
      } catch (error) {
        if (error instanceof UnrecordedError) return await second?.(...args)
        throw error
      }
    }
  }
  return Object.fromEntries(Object.keys(played).map(verb => [verb, both(verb as keyof HostReader)])) as unknown as HostReader
}

/** What the damages make of the node that the intact one does not claim, each with its damage. */
export async function newClaims(recording: Recording, machine: Machine, damages: readonly Damage[]): Promise<readonly string[]> {
  const claimsWith = await claimsByDamage(recording, machine)
  const intact = await claims(recordedHost(recording), machine)
  const found: string[] = []
  for (const damage of damages) {
    const fresh = [...(await claimsWith(damage))].filter(claim => !intact.has(claim))
    if (fresh.length > 0) found.push(`${damage.path} ${damage.how}: ${fresh.join(', ')}`)
  }
  return found
}

/**
 * Claims of the node with one damage. Only the facts that asked the intact node for that path are observed again: a detector that
 * did not ask for it gets the same answers as before, and so comes to the same.
 */
export async function claimsByDamage(
  recording: Recording,
  machine: Machine
): Promise<(damage: Damage) => Promise<ReadonlySet<string>>> {
  const played = playedHost(machine)
  const askedBy = new Map<string, Set<DetectorName>>()
  const observeAll = (names: readonly DetectorName[], hostOf: (name: DetectorName) => HostReader) =>
    Promise.all(names.map(async name => [name, await observeFact(name, sourcesOf(hostOf(name), machine))] as const))
  const intact = await observeAll(DETECTOR_NAMES, name =>
    noting(recordedHost(recording), path => askedBy.set(path, (askedBy.get(path) ?? new Set()).add(name)))
  )
  return async damage => {
    const again = [...(askedBy.get(damage.path) ?? [])]
    const facts = await observeAll(again, () => damaged(recording, played, damage))
    return claimsOf(withDerived(Object.fromEntries([...intact, ...facts]) as unknown as DetectedFacts))
  }
}

/** Calls `asked` with the subject of each question. */
const noting = (host: HostReader, asked: (subject: string) => void): HostReader =>
  Object.fromEntries(
    Object.entries(host).map(([verb, answer]) => [
      verb,
      (...args: unknown[]) => {
        asked([args[0]].flat().join(' ')) // a command line is a list
        return (answer as (...args: unknown[]) => unknown)(...args)
      }
    ])
  ) as unknown as HostReader

const ANSWERS = ['text', 'lines', 'list', 'link', 'stat', 'statfs', 'output'] as const

/** Nothing can be asked of the path any more, or one thing of several. What is not there fails in one way, what is there in two. */
export const unreadable = (path: string, entry: RecordedPath): readonly Damage[] =>
  (entry.absent ? ['EACCES'] : ['EACCES', 'EIO']).flatMap(error => {
    const given = ANSWERS.filter(key => entry[key] !== undefined)
    const parts = given.length < 2 ? [] : given.map(key => ({ path, how: `${key} ${error}`, entry: without(entry, key, error) }))
    return [{ path, how: error, entry: { error } }, ...parts]
  })

const without = (entry: RecordedPath, key: (typeof ANSWERS)[number], error: string): RecordedPath => {
  const { [key]: _, ...rest } = entry
  return { ...rest, error }
}

/** Ends inside a line, in its middle and before its newline, for lines all over the text; and nothing at all. */
export function cutTexts(text: string): readonly string[] {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index)
  const some = ends.filter((_, index) => index % Math.ceil(ends.length / 3) === 0 || index === ends.length - 1)
  const cuts = some.flatMap(end => {
    const begin = text.lastIndexOf('\n', end - 1) + 1
    return [(begin + end) >> 1, end]
  })
  const inside = [...cuts, 1, text.length >> 1].filter(at => at > 0 && at < text.length && text[at - 1] !== '\n')
  return ['', ...new Set(inside.map(at => text.slice(0, at)))]
}

/**
 * Folders that tell by what is not in them. No listing of a folder is ever half of it, so these are left whole here:
 * nothing could tell them from the same folder without a rule of modprobe's, without a file of CRI-O's, or without an instance of a GPU.
 */
const HIDES =
  /^\/(etc|run|usr\/local\/lib|usr\/lib|lib)\/modprobe\.d$|^\/etc\/crio\/crio\.conf\.d$|^\/proc\/driver\/nvidia\/capabilities/

export const cut = (path: string, entry: RecordedPath): readonly Damage[] => {
  const texts = entry.text === undefined ? [] : cutTexts(entry.text).filter(text => text !== entry.text)
  const { list, lines } = entry
  return [
    ...texts.map(text => ({ path, how: `cut to ${JSON.stringify(text.slice(-30))}`, entry: { ...entry, text } })),
    // A reader of lines refuses a text that ends inside one.
    ...(lines === undefined ? [] : [{ path, how: 'lines ECUT', entry: without(entry, 'lines', 'ECUT') }]),
    ...(lines === undefined ? [] : [{ path, how: 'emptied', entry: { ...entry, lines: mapped(lines, () => []) } }]),
    ...(list === undefined || list.length === 0 || HIDES.test(path)
      ? []
      : [{ path, how: 'list emptied', entry: { ...entry, list: [] } }])
  ]
}

const mapped = (lines: NonNullable<RecordedPath['lines']>, change: (pattern: string) => readonly string[]) =>
  Object.fromEntries(Object.keys(lines).map(pattern => [pattern, change(pattern)]))

/** Texts that no kernel and no package writes: a file's blocks that were never written, and arbitrary characters. */
const GARBAGE = fc.oneof(
  fc.integer({ min: 1, max: 64 }).map(length => '\0'.repeat(length)),
  fc.uint8Array({ minLength: 1, maxLength: 60 }).map(bytes => Buffer.from(bytes).toString('utf8')),
  fc.string({ minLength: 2, maxLength: 60 }),
  fc.array(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 5 }).map(lines => `${lines.join('\n')}\n`)
)

/** A number, a switch or blanks could be the truth, and so could any line of text as the kernel's command line. */
const isGarbage = (path: string, text: string): boolean =>
  /[^\s\dYN]/.test(text) && !(path === '/proc/cmdline' && /^\P{Cc}*\n$/u.test(text))

/** The same for one path in every run, whatever machines come and go. */
const seedOf = (path: string): number => [...path].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) as number)) | 0, 7)

export function garbled(path: string, entry: RecordedPath): readonly Damage[] {
  const { text, lines } = entry
  if (text === undefined && lines === undefined) return []
  return fc
    .sample(
      GARBAGE.filter(sample => isGarbage(path, sample)),
      { seed: seedOf(path), numRuns: 2 }
    )
    .map(garbage => ({
      path,
      how: `garbage ${JSON.stringify(garbage)}`,
      entry: text === undefined ? garbledLines(path, entry, garbage) : { ...entry, text: garbage }
    }))
}

function garbledLines(path: string, entry: RecordedPath, garbage: string): RecordedPath {
  try {
    return { ...entry, lines: mapped(entry.lines ?? {}, pattern => matchingLines(path, garbage, new RegExp(pattern))) }
  } catch (error) {
    if (error instanceof HostError) return without(entry, 'lines', error.code)
    throw error
  }
}
