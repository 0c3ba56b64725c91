import { HostError } from '../host/host.ts'
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
    /** Host paths that we wrote for `--persist`, under this boot and earlier ones. */
    readonly files: readonly string[]
  }
  /** A module that we loaded, that failed its trial, and that we unloaded again: known for as long as this boot lasts. */
  readonly broken?: { readonly boot: string; readonly because: string }
  /** Failed builds, by kernel release and checksum of the source; never more than three. */
  readonly builds?: Readonly<Record<string, { readonly failures: number; readonly lastAt: string; readonly because: string }>>
}

export const JOURNAL = '/var/lib/berth/journal.json'

const EMPTY: Journal = Object.freeze({ schema: 1 })

/** The journal of this node; an unreadable or foreign one throws `HostError`, since to act without it could not be taken back. */
export async function readJournal(host: HostWriter): Promise<Journal> {
  const text = await host.read(JOURNAL)
  if (text === undefined) return EMPTY
  const journal = parseJournal(text)
  if (journal === undefined) {
    throw new HostError(JOURNAL, 'EINVAL', { says: "it is no journal of berth's; move it away, and nothing is mended before" })
  }
  return journal
}

export function parseJournal(text: string): Journal | undefined {
  try {
    const found = JSON.parse(text) as Journal | null
    return typeof found === 'object' && found?.schema === 1 ? found : undefined
  } catch {
    return undefined
  }
}

/** Changes one part of the journal; `undefined` removes it. */
export async function writeJournal(
  host: HostWriter,
  change: { readonly [Key in keyof Journal]?: Journal[Key] | undefined }
): Promise<void> {
  const journal = { ...(await readJournal(host)), ...change }
  await host.write(JOURNAL, `${JSON.stringify(journal, null, 2)}\n`, 0o600)
}
