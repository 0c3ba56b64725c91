import { posix } from 'node:path'
import {
  ERRNO_TEXTS,
  type FileKind,
  type FileStat,
  type FsSpace,
  HostError,
  type HostReader,
  type Inventory,
  matchingLines
} from '../../src/host/host.ts'
import type { Capability, OptInCapability } from '../../src/verdicts/all.ts'
import type { Answer } from '../../src/verdicts/verdict.ts'

/** What lies at one path: the text of a file, another thing, or `undefined` for nothing, with all that would lie below it. */
export type Entry = string | Thing | undefined
export type Tree = Readonly<Record<string, Entry>>

type Thing =
  | { readonly kind: Exclude<FileKind, 'link' | 'file'>; readonly mode: number; readonly device: string }
  | { readonly kind: 'link'; readonly target: string }
  /** Its name can be seen, and neither read nor entered. */
  | { readonly kind: 'closed'; readonly code: string; readonly as: 'file' | 'directory' }

const plain = (kind: 'directory' | 'socket' | 'fifo', mode: number): Thing => ({ kind, mode, device: '' })
export const directory = plain('directory', 0o755)
export const socket = plain('socket', 0o755)
export const device = (number: string, mode = 0o666): Thing => ({ kind: 'character', mode, device: number })
export const link = (target: string): Thing => ({ kind: 'link', target })
export const unreadable = (code: string): Thing => ({ kind: 'closed', code, as: 'file' })
export const locked = (code: string): Thing => ({ kind: 'closed', code, as: 'directory' })

export type Expected = Readonly<Record<Exclude<Capability, OptInCapability>, Answer>>

/** Capabilities whose answers stand in tables of their own (`answers/`), and not with each machine. */
export type TabledCapability = 'userns' | 'kvm'

/** Answers that the agent, user 65532, comes to and root does not, and a part of the reason that it gives for each. */
export interface AsUser {
  readonly answers: Partial<Expected>
  readonly because: string
}

/** A machine as a table of its files: everything that is not in the tree is not there. */
export interface Machine {
  /** What it is, in a line. */
  readonly about: string
  /** Where its facts come from: a section of the field notes. */
  readonly source: string
  readonly arch: string
  readonly tree: Tree
  readonly space: FsSpace
  readonly inventory: Inventory | undefined
  /** Standard output of its programs, by command line. */
  readonly programs: Readonly<Record<string, string>>
  /** Its Node object, where it is in a cluster. */
  readonly node: Readonly<Record<string, unknown>> | undefined
  /** What the rules say of it, worked out by hand. */
  readonly expected: Expected
  readonly expectedAsUser: AsUser | undefined
}

/** A machine before the answers of the tables are added. */
export type Draft = Omit<Machine, 'expected'> & { readonly expected: Omit<Expected, TabledCapability> }

/** Refuses what cannot be seen, on the way to `goal` or there. */
export type Refuse = (path: string, goal: string) => void

/** Answers every question as the machine's own file systems would, to one who sees all of them or not. */
export function playedHost(machine: Machine, refuse: Refuse = () => undefined): HostReader {
  const things = normalised(machine.tree)
  const at = (path: string) => resolve(things, path, refuse)
  const read = async (path: string): Promise<string | undefined> => {
    const found = at(path)
    if (found === undefined) return undefined
    const thing = things.get(found) as NonNullable<Entry>
    if (typeof thing === 'string') return thing
    if (thing.kind === 'closed' && thing.as === 'file') throw refused(path, thing.code)
    if (thing.kind === 'directory' || thing.kind === 'closed') throw refused(path, 'EISDIR')
    throw new HostError(path, 'EINVAL', { says: `it is a ${thing.kind}, not a file` })
  }
  return {
    read,
    lines: async (path, pattern) => {
      const text = await read(path)
      return text === undefined ? undefined : matchingLines(path, text, pattern)
    },
    list: async path => {
      const found = at(path)
      if (found === undefined) return undefined
      const thing = things.get(found) as NonNullable<Entry>
      if (typeof thing === 'string') return undefined
      if (thing.kind === 'closed') throw refused(path, thing.code)
      const below = found === '/' ? '/' : `${found}/`
      const names = [...things.keys()].filter(name => name.startsWith(below) && name !== '/')
      return [...new Set(names.map(name => name.slice(below.length).split('/')[0] as string))].sort()
    },
    stat: async path => {
      const found = at(path)
      return found === undefined ? undefined : statOf(things.get(found) as NonNullable<Entry>)
    },
    realpath: async path => at(path),
    statfs: async path => (at(path) === undefined ? undefined : machine.space),
    run: async argv => machine.programs[argv.join(' ')],
    arch: async () => machine.arch,
    inventory: async () => machine.inventory
  }
}

const refused = (path: string, code: string): HostError => new HostError(path, code, { says: ERRNO_TEXTS[code] ?? code })

function statOf(thing: NonNullable<Entry>): FileStat {
  if (typeof thing === 'string') return { kind: 'file', mode: 0o644, device: '' }
  if (thing.kind === 'closed') return { kind: thing.as, mode: thing.as === 'file' ? 0o600 : 0o700, device: '' }
  return thing.kind === 'link' ? { kind: 'link', mode: 0o777, device: '' } : thing
}

/** The tree with every directory in it, and without what hangs below an `undefined`. */
export function normalised(tree: Tree): ReadonlyMap<string, NonNullable<Entry>> {
  const gone = Object.keys(tree).filter(path => tree[path] === undefined)
  const things = new Map<string, NonNullable<Entry>>([['/', directory]])
  for (const [path, entry] of Object.entries(tree)) {
    if (entry === undefined || gone.some(above => path.startsWith(`${above}/`))) continue
    for (let above = posix.dirname(path); above !== '/' && !things.has(above); above = posix.dirname(above)) {
      things.set(above, directory)
    }
    things.set(path, entry)
  }
  return things
}

/** The real path, links followed, or `undefined` when a part of it is not there. */
function resolve(things: ReadonlyMap<string, NonNullable<Entry>>, path: string, refuse: Refuse): string | undefined {
  let done = '/'
  const todo = path.split('/').filter(part => part !== '')
  for (let steps = 0; todo.length > 0; steps += 1) {
    if (steps > 200) throw refused(path, 'ELOOP')
    const above = things.get(done) as NonNullable<Entry>
    if (typeof above === 'string' || (above.kind !== 'directory' && above.kind !== 'closed')) return undefined
    if (above.kind === 'closed') throw refused(path, above.code)
    const next = posix.join(done, todo.shift() as string)
    refuse(next, posix.join(next, ...todo))
    const thing = things.get(next)
    if (thing === undefined) return undefined
    if (typeof thing !== 'string' && thing.kind === 'link') {
      const target = posix.resolve(done, thing.target)
      todo.unshift(...target.split('/').filter(part => part !== ''))
      done = '/'
    } else {
      done = next
    }
  }
  return done
}
