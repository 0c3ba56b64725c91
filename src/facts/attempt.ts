import { HostError } from '../host/host.ts'
import { type Attempt, Unsure } from './fact.ts'

/** `attempt` runs one read whose failure must not affect the other parts of a fact. Bugs are thrown. */
export async function attempt<T>(read: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await read() }
  } catch (error) {
    if (error instanceof HostError || error instanceof Unsure) return { ok: false, why: error.message }
    throw error
  }
}
