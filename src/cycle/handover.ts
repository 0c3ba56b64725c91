import type { Made } from '../facts/proof-binding.ts'
import { type Proof, type Proofs, TRIALS } from '../facts/proofs.ts'
import { APPARMOR_USERNS, type Readings } from '../facts/readings.ts'
import { REMEDIES } from '../remedies/plan.ts'
import { type Outcome, RESULTS } from '../remedies/remedy.ts'

/** What the privileged helper hands to the agent of the same node. */
export interface Handover {
  readonly schema: 1
  /** When it was written, ISO 8601, and in seconds since the boot; `null` where that could not be read. */
  readonly at: string
  readonly uptime: number | null
  readonly version: string
  /** The Node that the helper was told it works on; empty when it was told none. */
  readonly node: string
  /** Boot and kernel that all this was found under. */
  readonly boot: string
  readonly release: string
  /** What else the proofs were made with; `null` where the helper could not tell. */
  readonly made: Made | null
  readonly proofs: Proofs
  readonly readings: Readings
  readonly outcomes: readonly Outcome[]
}

/** What the agent sees of the node itself; what is about anything else is not believed. */
export interface Live {
  readonly node: string
  readonly boot: string
  readonly release: string
}

/** Not of this helper, or not about this node, with the reason for people. */
export class HandoverError extends Error {
  constructor(why: string) {
    super(`what the helper left is not believed: ${why}`)
    this.name = 'HandoverError'
  }
}

const VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}$/

export const handoverText = (findings: Handover): string => `${JSON.stringify(findings)}\n`

/** What a text tells that anybody may have written. Throws `HandoverError` with the first thing that is wrong. Pure. */
export function parseHandover(text: string, live: Live): Handover {
  const found = object(parseJson(text), 'the file')
  if (found['schema'] !== 1) throw new HandoverError(`schema ${JSON.stringify(found['schema'])} is not 1`)
  const [at, version, node, boot, release] = (['at', 'version', 'node', 'boot', 'release'] as const).map(key =>
    string(found[key], key)
  ) as [string, string, string, string, string]
  if (node !== '' && node !== live.node) throw new HandoverError(`they are about the Node "${node}", and this is "${live.node}"`)
  if (boot !== live.boot) throw new HandoverError(`they were made under boot ${boot}, and this is boot ${live.boot}`)
  if (release !== live.release) throw new HandoverError(`they were made on kernel ${release}, and this is ${live.release}`)
  return {
    ...{ schema: 1, at: time(at, 'at'), version, node, boot, release },
    uptime: found['uptime'] === null ? null : seconds(found['uptime'], 'uptime'),
    made: parseMade(found['made']),
    proofs: parseProofs(object(found['proofs'], 'proofs')),
    readings: parseReadings(object(found['readings'], 'readings')),
    outcomes: array(found['outcomes'], 'outcomes', REMEDIES.length).map(parseOutcome)
  }
}

function parseMade(value: unknown): Made | null {
  if (value === null) return null
  const { filesystems, disk, uptime } = object(value, 'made')
  return {
    filesystems: string(filesystems, 'made.filesystems', 4096),
    disk: string(disk, 'made.disk', 4096),
    uptime: seconds(uptime, 'made.uptime')
  }
}

const parseProofs = (found: Readonly<Record<string, unknown>>): Proofs =>
  Object.fromEntries(
    TRIALS.map(name => {
      const proof = object(found[name], `proofs.${name}`)
      const outcome = oneOf(['works', 'fails', 'untried'] as const, proof['outcome'], `proofs.${name}.outcome`)
      return [name, { outcome, because: string(proof['because'], `proofs.${name}.because`) } satisfies Proof]
    })
  ) as unknown as Proofs

/** JSON leaves out what is `undefined`. */
const parseReadings = ({ apparmorUserns, profiles, sysboxVersion }: Readonly<Record<string, unknown>>): Readings => ({
  apparmorUserns: apparmorUserns === undefined ? undefined : oneOf(APPARMOR_USERNS, apparmorUserns, 'readings.apparmorUserns'),
  profiles:
    profiles === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(object(profiles, 'readings.profiles')).map(([name, mode]) => [
            name,
            string(mode, `readings.profiles.${name}`)
          ])
        ),
  sysboxVersion: sysboxVersion === undefined ? undefined : versionText(sysboxVersion, 'readings.sysboxVersion')
})

function parseOutcome(value: unknown, index: number): Outcome {
  const where = `outcomes[${index}]`
  const found = object(value, where)
  const at = string(found['at'], `${where}.at`)
  return {
    remedy: oneOf(REMEDIES, found['remedy'], `${where}.remedy`),
    result: oneOf(RESULTS, found['result'], `${where}.result`),
    because: string(found['because'], `${where}.because`),
    at: at === '' ? '' : time(at, `${where}.at`),
    tail: string(found['tail'], `${where}.tail`, 4096)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HandoverError('the file is no JSON, or it was cut short')
  }
}

function object(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new HandoverError(`${where} is ${shown(value)}; expected an object`)
}

function array(value: unknown, where: string, most: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= most) return value
  throw new HandoverError(`${where} is ${shown(value)}; expected a list of at most ${most}`)
}

/** Control characters could forge lines in a log or a terminal. */
function string(value: unknown, where: string, longest = 512): string {
  if (typeof value === 'string' && value.length <= longest && !/[^\P{Cc}\n\t]/u.test(value)) return value
  throw new HandoverError(`${where} is ${shown(value)}; expected a text of at most ${longest} characters`)
}

function oneOf<T extends string>(values: readonly T[], value: unknown, where: string): T {
  const found = values.find(known => known === value)
  if (found !== undefined) return found
  throw new HandoverError(`${where} is ${shown(value)}; expected ${values.join(' or ')}`)
}

function versionText(value: unknown, where: string): string {
  if (typeof value === 'string' && VERSION.test(value)) return value
  throw new HandoverError(`${where} is ${shown(value)}; expected a version such as 0.7.1`)
}

function time(text: string, where: string): string {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new HandoverError(`${where} is ${shown(text)}; expected a time as in 2026-01-31T10:00:00Z`)
}

function seconds(value: unknown, where: string): number {
  if (typeof value === 'number' && value >= 0) return value
  throw new HandoverError(`${where} is ${shown(value)}; expected seconds`)
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 60)
