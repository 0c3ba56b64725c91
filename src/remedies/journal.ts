import * as z from 'zod/mini'
import { HostError } from '../host/host.ts'
import { type Checked, checkJson } from '../host/schema.ts'
import type { HostWriter } from '../host/writer.ts'

/** What berth changed on this node and has to undo. It is written before each change, so that a kill in the middle leaves a trace. */
export interface Journal {
  readonly schema: 1
  /** Limits that berth raised, by the name of the sysctl: the value before, the value after, and how it was set. */
  readonly sysctls?: Readonly<
    Record<
      string,
      {
        readonly from: number
        readonly to: number
        readonly way: 'bottlerocket' | 'sysctl'
        /** The Bottlerocket API refused the value for good, so it is not tried again. */
        readonly refused?: boolean
      }
    >
  >
  readonly shiftfs?: {
    /** The boot in which berth loaded the module. */
    readonly boot: string
    /** `loading`: the load began and its end was not recorded; `others`: the load failed, so a loaded module is not ours. Missing: `loaded`. */
    readonly state?: 'loading' | 'loaded' | 'others'
    /** Host paths that berth wrote for `--persist`, in this boot and earlier ones. */
    readonly files: readonly string[]
  }
  /** Modules of the node's kernel that berth loaded, and in which boot. */
  readonly modules?: { readonly boot: string; readonly names: readonly string[] }
  /** A module that berth loaded, that failed its trial, and that berth unloaded. It counts for this boot. */
  readonly broken?: { readonly boot: string; readonly because: string }
  /** Failed builds by kernel release and checksum of the source; at most three for each. */
  readonly builds?: Readonly<
    Record<
      string,
      {
        readonly failures: number
        readonly lastAt: string
        readonly because: string
        /** The compiler's last output. */
        readonly tail?: string
      }
    >
  >
}

export const JOURNAL = '/var/lib/berth/journal.json'

const EMPTY: Journal = Object.freeze({ schema: 1 })

/** Reads the journal of this node. Throws `HostError` if it is unreadable or not valid: without a journal nothing could be undone. */
export async function readJournal(host: HostWriter): Promise<Journal> {
  const text = await host.read(JOURNAL)
  if (text === undefined) return EMPTY
  const journal = checkJournal(text)
  if (journal.ok) return journal.value
  const says = `it is not a journal of berth (${journal.why}); no remedy is applied or undone until you move the file away`
  throw new HostError(JOURNAL, 'EINVAL', { says })
}

export function parseJournal(text: string): Journal | undefined {
  const journal = checkJournal(text)
  return journal.ok ? journal.value : undefined
}

const checkJournal = (text: string): Checked<Journal> => checkJson(JOURNAL_FORM, text, 'the file')

/** The name of a module is an argument of rmmod, so it must not be an option. */
const MODULE = z.string('a name').check(z.regex(/^\w+$/, 'the name of a module'))
const WORDS = z.string('a text')
const COUNT = z.int('a whole number').check(z.minimum(0, 'a whole number'))
const OBJECT = 'an object'
const WAYS = ['bottlerocket', 'sysctl'] as const

/** Unknown keys are kept: an older berth must not lose what a newer one has to undo. */
const JOURNAL_FORM: z.ZodMiniType<Journal> = z.looseObject(
  {
    schema: z.literal(1, '1'),
    sysctls: z.exactOptional(
      z.record(z.string(), z.looseObject({ from: COUNT, to: COUNT, way: z.enum(WAYS, WAYS.join(' or ')) }, OBJECT), OBJECT)
    ),
    shiftfs: z.exactOptional(z.looseObject({ boot: WORDS, files: z.array(WORDS, 'a list of paths') }, OBJECT)),
    modules: z.exactOptional(z.looseObject({ boot: WORDS, names: z.array(MODULE, 'a list of names of modules') }, OBJECT)),
    broken: z.exactOptional(z.looseObject({ boot: WORDS, because: WORDS }, OBJECT)),
    builds: z.exactOptional(
      z.record(z.string(), z.looseObject({ failures: COUNT, lastAt: WORDS, because: WORDS }, OBJECT), OBJECT)
    )
  },
  OBJECT
)

/** Changes one part of the journal; `undefined` removes it. */
export async function writeJournal(
  host: HostWriter,
  change: { readonly [Key in keyof Journal]?: Journal[Key] | undefined }
): Promise<void> {
  const journal = { ...(await readJournal(host)), ...change }
  await host.write(JOURNAL, `${JSON.stringify(journal, null, 2)}\n`, 0o600)
}
