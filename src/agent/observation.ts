import { termsOf } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { cycle } from '../cycle/cycle.ts'
import { NO_MEMORY } from '../cycle/memory.ts'
import type { Attempt } from '../facts/fact.ts'
import { helperHandover } from '../helper/read-handover.ts'
import { HostError, type HostReader } from '../host/host.ts'
import { ApiError } from '../kubernetes/api-error.ts'
import type { Connection } from '../kubernetes/connection.ts'
import { readPodSecurity } from '../kubernetes/pod-security.ts'
import type { ResourceSlicesReader } from './resource-slices.ts'
import type { Observe } from './world.ts'

/** Observes the node, with the facts that only the API or the helper can add. */
export const observeWith =
  (slicesOf: ResourceSlicesReader): Observe =>
  async (before, { config, world, host, connection, seen: { node } }) => {
    const { clock, emit } = world
    const [podSecurity, resourceSlices] = await Promise.all([podSecurityOf(config, connection), slicesOf({ host, node })])
    emit({ type: 'fact-asked', fact: 'pod-security', answer: podSecurity })
    emit({ type: 'fact-asked', fact: 'resource-slices', answer: resourceSlices })
    const past = { memory: before?.memory ?? NO_MEMORY, patience: config.options['unknown-after'] }
    const handed = await helperHandover({ config, host, doubted: why => emit({ type: 'handover-doubted', why }) })
    const snapshot = await cycle({ host, node, podSecurity, resourceSlices, ...handed }, termsOf(config), clock, past)
    emit({ type: 'observed', snapshot })
    return snapshot
  }

async function podSecurityOf({ options }: Config, connection: Connection): Promise<Attempt<string> | undefined> {
  const namespace = options['workspace-namespace']
  if (namespace === '') return undefined
  try {
    return await readPodSecurity(connection, namespace)
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, why: error.message }
    throw error
  }
}

/**
 * Takes the inventory once, when `take` is called: it starts other programs, no label depends on it, and it changes once in a machine's
 * life.
 */
export function lateInventory(host: HostReader): Pick<HostReader, 'inventory'> & { readonly take: () => Promise<void> } {
  let taken: ReturnType<HostReader['inventory']> | undefined
  return {
    inventory: () =>
      taken ?? Promise.reject(new HostError('the inventory', 'EAGAIN', { says: 'it is taken after the first observation' })),
    take: async () => {
      taken = host.inventory()
      await taken.catch(() => undefined) // the next observation reports it
    }
  }
}
