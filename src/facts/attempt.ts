import { HostError } from '../host/host.ts'
import { type Attempt, Unsure } from './fact.ts'

/** Runs one look whose failure must not take the other parts of a fact along. Bugs go on. */
export async function attempt<T>(read: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await read() }
  } catch (error) {
    if (error instanceof HostError || error instanceof Unsure) return { ok: false, why: error.message }
    throw error
  }
}
