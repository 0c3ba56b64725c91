import * as z from 'zod/mini'
import { HostError } from '../host/host.ts'
import { type Checked, checkJson } from '../host/schema.ts'
import type { HostWriter } from '../host/writer.ts'

/** What we did to this node and would have to take back. Written before each deed, so that a kill in the middle leaves a trace. */
export interface Journal {
  readonly schema: 1
  /** Limits as they were before we raised them, and to what; through which way. By the name of the sysctl. */
  readonly sysctls?: Readonly<
    Record<
      string,
      {
        readonly from: number
        readonly to: number
        readonly way: 'bottlerocket' | 'sysctl'
        /** The API of Bottlerocket said that it will never take it, so it is not asked again. */
        readonly refused?: boolean
      }
    >
  >
  readonly shiftfs?: {
    /** Boot under which we loaded the module. */
    readonly boot: string
    /** `loading`: nobody saw the end of it; `others`: the load failed, so whatever is loaded is not ours. Without: we loaded it. */
    readonly state?: 'loading' | 'loaded' | 'others'
    /** Host paths that we wrote for `--persist`, under this boot and earlier ones. */
    readonly files: readonly string[]
  }
  /** Modules of the kernel's own that we loaded, and under which boot. */
  readonly modules?: { readonly boot: string; readonly names: readonly string[] }
  /** A module that we loaded, that failed its trial, and that we unloaded again: known for as long as this boot lasts. */
  readonly broken?: { readonly boot: string; readonly because: string }
  /** Failed builds, by kernel release and checksum of the source; never more than three. */
  readonly builds?: Readonly<
    Record<
      string,
      {
        readonly failures: number
        readonly lastAt: string
        readonly because: string
        /** What the compiler said the last time. */
        readonly tail?: string
      }
    >
  >
}

export const JOURNAL = '/var/lib/berth/journal.json'

const EMPTY: Journal = Object.freeze({ schema: 1 })

/** The journal of this node; an unreadable or foreign one throws `HostError`, since to act without it could not be taken back. */
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

/** What is unloaded by name must be a name, and no option of rmmod's. */
const MODULE = z.string('a name').check(z.regex(/^\w+$/, 'the name of a module'))
const WORDS = z.string('a text')
const COUNT = z.int('a whole number').check(z.minimum(0, 'a whole number'))
const OBJECT = 'an object'
const WAYS = ['bottlerocket', 'sysctl'] as const

/** Keys of a newer berth stay: what it has to take back must not be lost by an older one. */
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
