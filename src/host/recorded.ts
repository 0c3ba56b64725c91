import { dump, load } from 'js-yaml'
import * as z from 'zod/mini'
import {
  ERRNO_TEXTS,
  type FileKind,
  type FileStat,
  type FsSpace,
  HostError,
  type HostReader,
  type Inventory,
  patternSource
} from './host.ts'
import { checkForm, partOf, shown } from './schema.ts'
import { scrubber, trim } from './scrub.ts'
import type { Testimony, Verb } from './testimony.ts'

/** The questions to a node and its answers. `report --host-root FILE.yaml` reads a recording in place of a node. */
export interface Recording {
  readonly schema: 1
  readonly arch?: string
  readonly inventory?: Inventory | { readonly absent: true }
  /** By path or command line. */
  readonly paths: Readonly<Record<string, RecordedPath>>
}

/** The answers about one path. `absent` and `error` answer every other question about the path. */
export interface RecordedPath {
  readonly absent?: true
  readonly error?: string
  readonly text?: string
  readonly lines?: Readonly<Record<string, readonly string[]>>
  readonly list?: readonly string[]
  /** The path with all symbolic links resolved. */
  readonly link?: string
  readonly stat?: FileStat
  readonly statfs?: FsSpace
  readonly output?: string
}

/** The recording has no answer to a question: it is older than the detector. */
export class UnrecordedError extends HostError {
  constructor(verb: string, subject: string) {
    super(subject, 'EUNRECORDED')
    this.message = `the recorded node has no answer to: ${verb} ${subject}`
    this.name = 'UnrecordedError'
  }
}

/** A node that answers from a recording. Throws `UnrecordedError` for a question that was not recorded. */
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
    lines: (path, pattern) => answer('lines', path, ({ lines }) => lines?.[patternSource(pattern)]),
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

/** Parses a recording. Throws an `Error` that says what is wrong with the text. */
export function parseRecording(text: string): Recording {
  const document = load(text)
  const head = checkForm(HEAD, document, 'it')
  if (!head.ok || head.value.paths === undefined) throw new Error('it is not a recorded node (no "paths")')
  const { schema, paths } = head.value
  if (schema !== 1) throw new Error(`its schema is ${shown(schema)}, expected 1`)
  const entries = checkForm(z.record(z.string(), z.unknown()), paths, '"paths"')
  if (!entries.ok) throw new Error('"paths" is not a mapping')
  const whole = checkForm(WHOLE, document, 'it')
  if (!whole.ok) throw new Error(whole.why)
  return {
    schema,
    ...whole.value,
    paths: Object.fromEntries(Object.entries(entries.value).map(([path, entry]) => [path, parseEntry(path, entry)]))
  }
}

function parseEntry(path: string, entry: unknown): RecordedPath {
  const form = ENTRY.safeParse(entry)
  if (form.success) return form.data
  const [issue] = form.error.issues as [z.core.$ZodIssue]
  const [key = ''] = issue.code === 'unrecognized_keys' ? issue.keys : issue.path
  if (key === '') throw new Error(`the entry of ${path} is not a mapping`)
  if (issue.code === 'unrecognized_keys') {
    throw new Error(`the entry of ${path} has "${String(key)}", expected ${Object.keys(ENTRY.def.shape).join(', ')}`)
  }
  throw new Error(`"${String(key)}" of ${path} is ${shown(partOf(entry, [key]))}, expected ${issue.message}`)
}

const HEAD = z.object({ schema: z.optional(z.unknown()), paths: z.optional(z.unknown()) })

const text = (form = 'a text') => z.string(form)
const texts = (form: string) => z.array(z.string(form), form)
const count = (form: string) => z.int(form).check(z.minimum(0, form))

const [STAT, SPACE, LINES] = ['kind, mode and device', 'free and total in bytes', 'lists of lines by pattern']
const KINDS = ['file', 'directory', 'link', 'character', 'block', 'fifo', 'socket'] as const satisfies readonly FileKind[]

/** The format of each answer, with the words for error messages. Recordings are also written by hand, and YAML reads `text: 0` as a number. */
const ENTRY = z.strictObject({
  absent: z.exactOptional(z.literal(true, 'true')),
  error: z.exactOptional(text('an errno such as EACCES')),
  text: z.exactOptional(text('a text (a number needs quotes)')),
  lines: z.exactOptional(z.record(z.string(), texts(LINES), LINES)),
  list: z.exactOptional(texts('a list of names')),
  link: z.exactOptional(text('a path')),
  stat: z.exactOptional(z.object({ kind: z.enum(KINDS, STAT), mode: count(STAT), device: text(STAT) }, STAT)),
  statfs: z.exactOptional(z.object({ free: count(SPACE), total: count(SPACE) }, SPACE)),
  output: z.exactOptional(text())
}) satisfies z.ZodMiniType<RecordedPath>

const AMOUNT = z.number('a number')
const DISK = z.object({ name: text(), size: AMOUNT, type: text() }, 'a disk')
const INVENTORY: z.ZodMiniType<Inventory> = z.object(
  {
    cpu: z.object({ model: text(), cores: AMOUNT }, 'a mapping'),
    memory: z.object({ total: AMOUNT, available: AMOUNT }, 'a mapping'),
    disks: z.array(DISK, 'a list of disks')
  },
  'a mapping'
)

const WHOLE = z.object({
  arch: z.exactOptional(text()),
  inventory: z.exactOptional(
    z.union([z.object({ absent: z.literal(true) }), INVENTORY], 'a mapping of cpu, memory and disks, or absent: true')
  )
})

const KEYS: Partial<Record<Verb, keyof RecordedPath>> = {
  read: 'text',
  list: 'list',
  stat: 'stat',
  realpath: 'link',
  statfs: 'statfs',
  run: 'output'
}

/** All questions and answers as YAML, without what identifies the machine (see `scrub.ts`). `names` are host and Node names. */
export function writeRecording(testimony: readonly Testimony[], names: readonly string[]): string {
  const scrub = scrubber(testimony, names)
  const asked = testimony.map(({ subject }) => subject)
  const paths: Record<string, Record<string, unknown>> = {}
  const whole: Record<string, unknown> = {}
  for (const { verb, subject, pattern, answer, error } of testimony) {
    if (verb === 'arch' || verb === 'inventory') {
      whole[verb] = answer ?? { absent: true }
      continue
    }
    paths[subject] = {
      ...paths[subject],
      ...entryOf(verb, pattern, error?.code, scrub(trim(subject, answer, asked)), paths[subject])
    }
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
