import { HostError, NOT_MOUNTED } from '../host/host.ts'

/** What an answer is where the agent's pod does not have that part of the node mounted. */
export type NotMounted = { readonly error: HostError }

/** The answer, or that the path is not among what the agent sees of the node; every other failure is thrown. */
export async function unlessNotMounted<T>(read: Promise<T>): Promise<{ readonly value: T } | NotMounted> {
  try {
    return { value: await read }
  } catch (error) {
    if (error instanceof HostError && error.code === NOT_MOUNTED) return { error }
    throw error
  }
}
