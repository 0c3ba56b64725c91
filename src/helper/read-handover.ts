import type { Config } from '../cli/config.ts'
import { attempt } from '../facts/attempt.ts'
import { detectBootId } from '../facts/boot-id.ts'
import type { Sources } from '../facts/define-fact.ts'
import { Unsure } from '../facts/fact.ts'
import { readKernel } from '../facts/kernel.ts'
import { readBinding, readUptime, whyTooOld, whyVoid } from '../facts/proof-binding.ts'
import { untried } from '../facts/proofs.ts'
import { readHandover } from '../host/handover-file.ts'
import { HostError, type HostReader } from '../host/host.ts'
import { type Handover, HandoverError, parseHandover } from './handover.ts'

interface Terms {
  readonly config: Config
  readonly host: HostReader
  /** Called with the reason if a part of the handover is not used. */
  readonly doubted: (why: string) => void
  /** The name of this Node, used if `--node-name` is not given. */
  readonly name?: string
}

type Handed = Pick<Sources, 'proofs' | 'readings'> & Partial<Pick<Handover, 'outcomes'>>

/**
 * Reads what the privileged helper of this node found and did. Returns `{}` if there is no handover. If a part of it is not valid for this
 * node, `doubted` is called, every trial is untried with that reason, and no fact rests on that part.
 */
export async function helperHandover({ config, host, doubted, name = '' }: Terms): Promise<Handed> {
  try {
    const { handover: path, 'node-name': named } = config.options
    const node = named === '' ? name : named
    const text = await readHandover(path)
    if (text === undefined) return {}
    const sources = { host, node: undefined, podSecurity: undefined }
    const [boot, { release }] = await Promise.all([detectBootId(sources), readKernel(host)])
    const found = parseHandover(text, { node, boot, release })
    const doubts = await doubtsOf(found, host, config.options['kubelet-root'])
    for (const why of new Set([doubts.proofs, doubts.readings].filter(why => why !== undefined))) doubted(why)
    return {
      proofs: doubts.proofs === undefined ? found.proofs : untried(doubts.proofs),
      readings: doubts.readings === undefined ? found.readings : undefined,
      outcomes: found.outcomes
    }
  } catch (error) {
    if (!(error instanceof HandoverError || error instanceof HostError || error instanceof Unsure)) throw error
    const { message } = error
    doubted(message)
    return { proofs: untried(message) }
  }
}

/** Older readings are not used (seconds). A running helper writes at least once an hour. */
const OLDEST_READING = 2 * 3600

interface Doubts {
  /** Why they do not hold for the node now; `undefined` if they do. */
  readonly proofs: string | undefined
  readonly readings: string | undefined
}

async function doubtsOf({ made, uptime }: Handover, host: HostReader, kubeletRoot: string): Promise<Doubts> {
  const now = await attempt(() => readUptime(host))
  const binding = await attempt(() => readBinding(host, kubeletRoot))
  const doubt = (what: string, why: string | undefined) =>
    why === undefined ? undefined : `the helper's ${what} are not used: ${why}`
  const whyProofs = (): string | undefined => {
    if (made === null) return 'the helper could not read what they depend on'
    if (!binding.ok) return binding.why
    return now.ok ? whyVoid(made, { ...binding.value, uptime: now.value }) : now.why
  }
  const whyReadings = (): string | undefined => {
    if (uptime === null) return 'the helper could not read when they were made'
    return now.ok ? whyTooOld(uptime, now.value, OLDEST_READING) : now.why
  }
  return { proofs: doubt('proofs', whyProofs()), readings: doubt('readings', whyReadings()) }
}
