import { attempt } from '../facts/attempt.ts'
import type { Attempt } from '../facts/fact.ts'
import { detectNvidiaDriver } from '../facts/gpu/nvidia-driver.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { DraDevices } from '../facts/resource-slices.ts'
import type { HostReader } from '../host/host.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { readResourceSlices } from '../kubernetes/resource-slices.ts'
import { type Waiting, withRetries } from '../kubernetes/retry.ts'
import { gpuOffer } from '../verdicts/gpu.ts'

interface Looked {
  readonly host: HostReader
  readonly node: NodeObject | undefined
}

/** What DRA offers on a node, or why that is not known; `undefined` where it was not asked. */
export type ResourceSlicesReader = (looked: Looked) => Promise<Attempt<DraDevices> | undefined>

interface Remembered {
  /** What the Node offers in other ways: when that changes, something was installed or removed. */
  readonly beside: string
  readonly answer: Attempt<DraDevices>
  readonly until: number
}

/**
 * Asks the API where the answer can count, and not at every look: what is offered is remembered for about three looks (`interval`,
 * milliseconds). What is not offered, or not known, is asked at the next look, since pods may be waiting for it; the looks that
 * come sooner, because something moves on the node, take the last answer.
 */
export function resourceSlicesReader(
  connection: Connection,
  { interval, elapsed }: { readonly interval: number; readonly elapsed: () => number }
): ResourceSlicesReader {
  let last: Remembered | undefined
  return async ({ host, node }) => {
    if (node === undefined || !(await canCount(host, node))) return undefined
    const beside = JSON.stringify([node.name, node.allocatable])
    if (last !== undefined && last.beside === beside && elapsed() < last.until) return last.answer
    const answer = await known(() => readResourceSlices(connection, node.name))
    const isOffer = answer.ok && answer.value.devices > answer.value.tainted
    last = { beside, answer, until: elapsed() + interval * (isOffer ? 2.8 : 0.8) }
    return answer
  }
}

/** The same for a single look. */
export async function readResourceSlicesOnce(connection: Connection, { host, node }: Looked, waiting: Waiting) {
  if (node === undefined || !(await canCount(host, node))) return undefined
  return await known(() => withRetries(() => readResourceSlices(connection, node.name), waiting))
}

/** Only where the NVIDIA driver is loaded (or that cannot be read) and the Node offers no GPU in the other way: few nodes of a cluster. */
async function canCount(host: HostReader, node: NodeObject): Promise<boolean> {
  if (gpuOffer(node.allocatable) !== undefined) return false
  const driver = await attempt(() => detectNvidiaDriver({ host, node, podSecurity: undefined }))
  return !(driver.ok && driver.value === 'none')
}

/** A failure of the API is a reason: what does not depend on this answer can still be told. */
async function known(ask: () => Promise<Attempt<DraDevices>>): Promise<Attempt<DraDevices>> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, why: error.message }
    throw error
  }
}
