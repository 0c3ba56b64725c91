import type { Config } from '../cli/config.ts'
import { type Connection, openConnection } from '../kubernetes/connection.ts'
import { type Identity, identify } from '../kubernetes/identity.ts'
import type { RequestInfo } from '../kubernetes/request-info.ts'
import { VERSION } from '../version.ts'
import type { Emit } from './agent-events.ts'

/** The connection to the API, and the first question on it, before the rest of the agent is loaded. */
export interface EarlyConnection {
  readonly connection: Connection
  /** Who we are, asked once and early; it may fail with an `ApiError`, and can be asked again. */
  readonly identity: Promise<Identity>
  /** Emits an event for each answer from now on, and at once for those before. */
  readonly report: (emit: Emit) => void
}

/** Asks who we are before anything else is loaded: the handshake goes on meanwhile. Throws `ApiError` for a wrong kubeconfig. */
export async function openEarly({ options }: Config): Promise<EarlyConnection> {
  const before: { readonly request: RequestInfo; readonly status: number }[] = []
  let listener: (answer: (typeof before)[number]) => void = answer => before.push(answer)
  const connection = await openConnection(options.kubeconfig, {
    userAgent: `berth/${VERSION}`,
    onResponse: (request, status) => listener({ request, status })
  })
  const identity = identify(connection)
  // Whoever awaits it gets the failure; nobody may yet.
  identity.catch(() => undefined)
  return {
    connection,
    identity,
    report: emit => {
      listener = answer => emit({ type: 'api-answered', ...answer })
      for (const answer of before) listener(answer)
    }
  }
}
