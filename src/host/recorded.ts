import { dump, load } from 'js-yaml'
import { ERRNO_TEXTS, type FileStat, type FsSpace, HostError, type HostReader, type Inventory } from './host.ts'
import { scrubber, trim } from './scrub.ts'
import type { Testimony, Verb } from './witness.ts'

/** What was asked of a node and what it answered; `report --host-root FILE.yaml` looks at it as if it were the node. */
export interface Recording {
  readonly schema: 1
  readonly arch?: string
  readonly inventory?: Inventory | { readonly absent: true }
  /** By path or command line. */
  readonly paths: Readonly<Record<string, RecordedPath>>
}

/** The answers about one path. `absent` and `error` answer every question about it that has no answer of its own. */
export interface RecordedPath {
  readonly absent?: true
  readonly error?: string
  readonly text?: string
  readonly lines?: Readonly<Record<string, readonly string[]>>
  readonly list?: readonly string[]
  /** The path that it leads to, links resolved. */
  readonly link?: string
  readonly stat?: FileStat
  readonly statfs?: FsSpace
  readonly output?: string
}

/** A question that the recording has no answer to: the recording is older than the detector, or of something else. */
export class UnrecordedError extends HostError {
  constructor(verb: string, subject: string) {
    super(subject, 'EUNRECORDED')
    this.message = `the recorded node has no answer to: ${verb} ${subject}`
    this.name = 'UnrecordedError'
  }
}

/** A node that answers from a recording. Throws `UnrecordedError` for a question that was not asked then. */
export function recordedHost(recording: Recording): HostReader {
  const answer = async <T>(verb: Verb, path: string, pick: (entry: RecordedPath) => T | undefined): Promise<T | undefined> => {
    const entry = Object.hasOwn(recording.paths, path) ? recording.paths[path] : undefined
    const picked = entry && pick(entry)
    if (picked !== undefined) return picked
    if (entry?.absent) return undefined
    if (entry?.error !== undefined) throw recordedError(path, entry.error)
    throw new UnrecordedError(verb, path)
  }
  return {
    read: path => answer('read', path, ({ text }) => text),
    lines: (path, pattern) => answer('lines', path, ({ lines }) => lines?.[pattern.source]),
    list: path => answer('list', path, ({ list }) => list),
    stat: path => answer('stat', path, ({ stat }) => stat),
    realpath: path => answer('realpath', path, ({ link }) => link),
    statfs: path => answer('statfs', path, ({ statfs }) => statfs),
    run: argv => answer('run', argv.join(' '), ({ output }) => output),
    arch: async () => recording.arch ?? unrecorded('arch'),
    inventory: async () => {
      const { inventory } = recording
      if (inventory === undefined) return unrecorded('inventory')
      return 'absent' in inventory ? undefined : inventory
    }
  }
}

const unrecorded = (verb: Verb): never => {
  throw new UnrecordedError(verb, '')
}

const recordedError = (path: string, code: string): HostError =>
  new HostError(path, code, {
    says: code === 'ECUT' ? 'it ends in the middle of a line, so it may be cut short' : (ERRNO_TEXTS[code] ?? code)
  })

/** Reads a recording. Throws `Error` that says what is wrong with the text, for people. */
export function parseRecording(text: string): Recording {
  const value = load(text)
  if (typeof value !== 'object' || value === null || !('paths' in value)) {
    throw new Error('it is not a recorded node (no "paths")')
  }
  const { schema, paths } = value as { schema?: unknown; paths: unknown }
  if (schema !== 1) throw new Error(`its schema is ${JSON.stringify(schema)}, expected 1`)
  if (typeof paths !== 'object' || paths === null || Array.isArray(paths)) throw new Error('"paths" is not a mapping')
  for (const [path, entry] of Object.entries(paths)) requireForm(path, entry)
  const { arch, inventory } = value as { arch?: unknown; inventory?: unknown }
  if (arch !== undefined && typeof arch !== 'string') throw new Error(`arch is ${JSON.stringify(arch)}, expected a text`)
  if (inventory !== undefined && !isMapping(inventory)) throw new Error('inventory is not a mapping')
  return value as Recording
}

function requireForm(path: string, entry: unknown): void {
  if (!isMapping(entry)) throw new Error(`the entry of ${path} is not a mapping`)
  for (const [key, answer] of Object.entries(entry)) {
    const [form, isRight] = Object.hasOwn(FORMS, key) ? FORMS[key as keyof RecordedPath] : []
    if (form === undefined) throw new Error(`the entry of ${path} has "${key}", expected ${Object.keys(FORMS).join(', ')}`)
    if (!isRight?.(answer)) throw new Error(`"${key}" of ${path} is ${JSON.stringify(answer)}, expected ${form}`)
  }
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

/** What each answer must look like, and how that is said: recordings are written by hand too, and YAML takes `text: 0` for a number. */
const FORMS: Readonly<Record<keyof RecordedPath, readonly [form: string, isRight: (answer: unknown) => boolean]>> = {
  absent: ['true', answer => answer === true],
  error: ['an errno such as EACCES', isText],
  text: ['a text (a number needs quotes)', isText],
  lines: ['lists of lines by pattern', answer => isMapping(answer) && Object.values(answer).every(areTexts)],
  list: ['a list of names', areTexts],
  link: ['a path', isText],
  stat: [
    'kind, mode and device',
    answer => isMapping(answer) && isText(answer['kind']) && isCount(answer['mode']) && isText(answer['device'])
  ],
  statfs: ['free and total in bytes', answer => isMapping(answer) && isCount(answer['free']) && isCount(answer['total'])],
  output: ['a text', isText]
}

const KEYS: Partial<Record<Verb, keyof RecordedPath>> = {
  read: 'text',
  list: 'list',
  stat: 'stat',
  realpath: 'link',
  statfs: 'statfs',
  run: 'output'
}

/** All testimony as YAML text, scrubbed of what names the machine: see `scrub.ts`. `names` are host and Node names. */
export function writeRecording(testimony: readonly Testimony[], names: readonly string[]): string {
  const scrub = scrubber(testimony, names)
  const paths: Record<string, Record<string, unknown>> = {}
  const whole: Record<string, unknown> = {}
  for (const { verb, subject, pattern, answer, error } of testimony) {
    if (verb === 'arch' || verb === 'inventory') {
      whole[verb] = answer ?? { absent: true }
      continue
    }
    paths[subject] = { ...paths[subject], ...entryOf(verb, pattern, error?.code, scrub(trim(subject, answer)), paths[subject]) }
  }
  const sorted = Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)))
  return dump({ schema: 1, ...whole, paths: sorted }, { lineWidth: -1, noRefs: true })
}

function entryOf(
  verb: Verb,
  pattern: string,
  error: string | undefined,
  answer: unknown,
  before: Record<string, unknown> = {}
): Record<string, unknown> {
  if (error !== undefined) return { error }
  if (answer === undefined) return { absent: true }
  if (verb === 'lines') return { lines: { ...(before['lines'] as object | undefined), [pattern]: answer } }
  return { [KEYS[verb] as string]: answer }
}
