import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, ConnectionOptions } from '../kubernetes/connection.ts'
import type { Waiting } from '../kubernetes/retry.ts'
import { VERSION } from '../version.ts'
import { CommandError } from './command.ts'
import type { Config } from './config.ts'

/** What a test gives in place of the world. */
export interface World extends Waiting {
  readonly connection: Partial<ConnectionOptions>
}

export const WORLD: World = {
  sleep: milliseconds => sleep(milliseconds),
  random: Math.random,
  connection: { userAgent: `berth/${VERSION}` }
}

/** Loads the client, which is most of what asking costs, and turns its errors into sentences. */
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
