import type { Config } from '../cli/config.ts'
import { type Connection, openConnection } from '../kubernetes/connection.ts'
import { type Identity, identify } from '../kubernetes/identity.ts'
import { VERSION } from '../version.ts'
import type { Diary } from './telemetry.ts'

/** The line to the API, and the first question on it. */
export interface Introduction {
  readonly connection: Connection
  /** Who we are, asked once and early; it may fail with an `ApiError`, and can be asked again. */
  readonly identity: Promise<Identity>
  /** From now on the diary hears of each answer, and of those before at once. */
  readonly tell: (diary: Pick<Diary, 'answered'>) => void
}

/** Asks who we are before anything else is loaded: the handshake goes on meanwhile. Throws `ApiError` for a wrong kubeconfig. */
export async function introduce({ options }: Config): Promise<Introduction> {
  const before: Parameters<Diary['answered']>[] = []
  let listener: Diary['answered'] = (...answer) => {
    before.push(answer)
  }
  const connection = await openConnection(options.kubeconfig, {
    userAgent: `berth/${VERSION}`,
    onAnswer: (...answer) => listener(...answer)
  })
  const identity = identify(connection)
  // Whoever awaits it hears of a failure; nobody may yet.
  identity.catch(() => undefined)
  return {
    connection,
    identity,
    tell: ({ answered }) => {
      for (const answer of before) answered(...answer)
      listener = answered
    }
  }
}
