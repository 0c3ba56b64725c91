import { HostError, NOT_MOUNTED } from '../host/host.ts'

/** The result of a read below a path of the node that is not mounted into the agent's pod. */
export type NotMounted = { readonly error: HostError }

/** `unlessNotMounted` returns the value, or the error if the path is not mounted into the agent's pod. Other failures are thrown. */
export async function unlessNotMounted<T>(read: Promise<T>): Promise<{ readonly value: T } | NotMounted> {
  try {
    return { value: await read }
  } catch (error) {
    if (error instanceof HostError && error.code === NOT_MOUNTED) return { error }
    throw error
  }
}
