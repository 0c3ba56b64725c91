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

interface ObservedNode {
  readonly host: HostReader
  readonly node: NodeObject | undefined
}

/** What DRA offers on a node, or why that is unknown; `undefined` if it does not matter and was not asked. */
export type ResourceSlicesReader = (observed: ObservedNode) => Promise<Attempt<DraDevices> | undefined>

interface Remembered {
  /** The other resources of the Node: when they change, something was installed or removed. */
  readonly others: string
  readonly answer: Attempt<DraDevices>
  readonly until: number
}

/**
 * Asks the API only if the answer can matter, and not at every observation. An offer is remembered for about three intervals
 * (milliseconds). If nothing is offered, or the answer is unknown, the API is asked again after one interval, because pods may be waiting;
 * earlier observations, caused by changes on the node, use the last answer.
 */
export function resourceSlicesReader(
  connection: Connection,
  { interval, elapsed }: { readonly interval: number; readonly elapsed: () => number }
): ResourceSlicesReader {
  let last: Remembered | undefined
  return async ({ host, node }) => {
    if (node === undefined || !(await canMatter(host, node))) return undefined
    const others = JSON.stringify([node.name, node.allocatable])
    if (last !== undefined && last.others === others && elapsed() < last.until) return last.answer
    const answer = await orReason(() => readResourceSlices(connection, node.name))
    const isOffer = answer.ok && answer.value.devices > answer.value.tainted
    last = { others, answer, until: elapsed() + interval * (isOffer ? 2.8 : 0.8) }
    return answer
  }
}

/** The same for a single observation. */
export async function readResourceSlicesOnce(connection: Connection, { host, node }: ObservedNode, waiting: Waiting) {
  if (node === undefined || !(await canMatter(host, node))) return undefined
  return await orReason(() => withRetries(() => readResourceSlices(connection, node.name), waiting))
}

/** True on few nodes: the NVIDIA driver is loaded (or that is unknown), and no device plugin offers its GPUs. */
async function canMatter(host: HostReader, node: NodeObject): Promise<boolean> {
  if (gpuOffer(node.allocatable) !== undefined) return false
  const driver = await attempt(() => detectNvidiaDriver({ host, node, podSecurity: undefined }))
  return !(driver.ok && driver.value === 'none')
}

/** Turns a failure of the API into a reason, because other facts do not depend on this answer. */
async function orReason(ask: () => Promise<Attempt<DraDevices>>): Promise<Attempt<DraDevices>> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, why: error.message }
    throw error
  }
}
