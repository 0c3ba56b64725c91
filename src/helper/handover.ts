import * as z from 'zod/mini'
import type { Made } from '../facts/proof-binding.ts'
import { type Proofs, TRIALS, type TrialName } from '../facts/proofs.ts'
import { APPARMOR_USERNS, type Readings } from '../facts/readings.ts'
import { type Checked, checkForm, checkJson, plainText, shown } from '../host/schema.ts'
import { REMEDIES } from '../remedies/all.ts'
import { type Outcome, RESULTS } from '../remedies/outcome.ts'

/** The file that the privileged helper writes for the agent of the same node. */
export interface Handover {
  readonly schema: 1
  /** When it was written, in ISO 8601, and in seconds since the boot; `null` if the uptime could not be read. */
  readonly at: string
  readonly uptime: number | null
  readonly version: string
  /** The helper's `--node-name`; empty if it has none. */
  readonly node: string
  /** The boot and the kernel in which it was written. */
  readonly boot: string
  readonly release: string
  /** What else the proofs depend on; `null` if the helper could not read it. */
  readonly made: Made | null
  readonly proofs: Proofs
  readonly readings: Readings
  readonly outcomes: readonly Outcome[]
}

/** The node as the agent sees it. A handover about another node, boot or kernel is not used. */
export interface Live {
  /** Empty if it is not known; then boot and kernel identify the node. */
  readonly node: string
  readonly boot: string
  readonly release: string
}

/** The handover is not valid, or not about this node. */
export class HandoverError extends Error {
  constructor(why: string) {
    super(`the handover of the helper is not used: ${why}`)
    this.name = 'HandoverError'
  }
}

export const handoverText = (findings: Handover): string => `${JSON.stringify(findings)}\n`

/** Parses a handover, which anybody may have written. Throws `HandoverError` with the first error. */
export function parseHandover(text: string, live: Live): Handover {
  const whole = checked(checkJson(MAPPING, text, 'the file'))
  if (whole['schema'] !== 1) throw new HandoverError(`schema ${shown(whole['schema'])} is not 1`)
  const found = checked(checkForm(HANDOVER, whole, 'the file'))
  const { node, boot, release } = found
  if (node !== '' && live.node !== '' && node !== live.node)
    throw new HandoverError(`it is about the Node "${node}", but this is "${live.node}"`)
  if (boot !== live.boot) throw new HandoverError(`it was made under boot ${boot}, but this is boot ${live.boot}`)
  if (release !== live.release) throw new HandoverError(`it was made on kernel ${release}, but this is ${live.release}`)
  return found
}

function checked<T>(form: Checked<T>): T {
  if (form.ok) return form.value
  throw new HandoverError(form.why)
}

const TEXT = plainText(512)
const LONG_TEXT = plainText(4096)
const OBJECT = 'an object'
const MAPPING = z.record(z.string(), z.unknown(), OBJECT)
const SECONDS = z.number('seconds').check(z.minimum(0, 'seconds'))

const TIME = 'a time as in 2026-01-31T10:00:00Z'
const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text) && !Number.isNaN(Date.parse(text))

const oneOf = <const T extends readonly string[]>(values: T) => z.enum(values, values.join(' or '))

const MADE: z.ZodMiniType<Made> = z.object(
  { filesystems: LONG_TEXT, disk: LONG_TEXT, overProc: LONG_TEXT, uptime: SECONDS },
  OBJECT
)

const PROOF = z.object({ outcome: oneOf(['works', 'fails', 'untried']), because: TEXT }, OBJECT)

const PROOFS: z.ZodMiniType<Proofs> = z.object(
  Object.fromEntries(TRIALS.map(name => [name, PROOF])) as Record<TrialName, typeof PROOF>,
  OBJECT
)

const VERSION = 'a version such as 0.7.1'

/** Readings that are `undefined` are missing in JSON. */
const READINGS: z.ZodMiniType<Readings> = z.pipe(
  z.object(
    {
      apparmorUserns: z.optional(oneOf(APPARMOR_USERNS)),
      profiles: z.optional(z.record(z.string(), TEXT, OBJECT)),
      sysboxVersion: z.optional(z.string(VERSION).check(z.regex(/^\d{1,4}\.\d{1,4}\.\d{1,4}$/, VERSION)))
    },
    OBJECT
  ),
  z.transform(({ apparmorUserns, profiles, sysboxVersion }) => ({ apparmorUserns, profiles, sysboxVersion }))
)

const OUTCOME: z.ZodMiniType<Outcome> = z.object(
  {
    remedy: oneOf(REMEDIES),
    result: oneOf(RESULTS),
    because: TEXT,
    at: TEXT.check(z.refine(at => at === '' || isTime(at), TIME)),
    tail: LONG_TEXT
  },
  OBJECT
)

const LIST = `a list of at most ${REMEDIES.length}`

const HANDOVER: z.ZodMiniType<Handover> = z.object({
  schema: z.literal(1),
  at: TEXT.check(z.refine(isTime, TIME)),
  version: TEXT,
  node: TEXT,
  boot: TEXT,
  release: TEXT,
  uptime: z.nullable(SECONDS),
  made: z.nullable(MADE),
  proofs: PROOFS,
  readings: READINGS,
  outcomes: z.array(OUTCOME, LIST).check(z.maxLength(REMEDIES.length, LIST))
})
