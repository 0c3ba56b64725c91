import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, ConnectionOptions } from '../kubernetes/connection.ts'
import type { Waiting } from '../kubernetes/retry.ts'
import { VERSION } from '../version.ts'
import { CommandError } from './command.ts'
import type { Config } from './config.ts'

/** Time, chance and the network. Tests pass their own. */
export interface World extends Waiting {
  readonly connection: Partial<ConnectionOptions>
}

export const WORLD: World = {
  sleep: milliseconds => sleep(milliseconds),
  random: Math.random,
  connection: { userAgent: `berth/${VERSION}` }
}

/**
 * Opens a connection to the API, and closes it after `use`. The client is imported here because loading it is most of the start-up time.
 * Throws `CommandError` for every `ApiError`.
 */
export async function withConnection<T>(config: Config, world: World, use: (connection: Connection) => Promise<T>): Promise<T> {
  const [{ openConnection }, { ApiError }] = await Promise.all([
    import('../kubernetes/connection.ts'),
    import('../kubernetes/api-error.ts')
  ])
  try {
    const connection = await openConnection(config.options.kubeconfig, world.connection)
    try {
      return await use(connection)
    } finally {
      await connection.close()
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new CommandError(error.message, { status: error.code === 'KUBECONFIG' ? 2 : 1, cause: error })
  }
}
