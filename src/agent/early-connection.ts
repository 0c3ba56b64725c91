import type { Config } from '../cli/config.ts'
import { type Connection, openConnection } from '../kubernetes/connection.ts'
import { type Identity, identify } from '../kubernetes/identity.ts'
import type { RequestInfo } from '../kubernetes/request-info.ts'
import { VERSION } from '../version.ts'
import type { Emit } from './agent-events.ts'

/** The connection to the API and the first request on it, opened before the rest of the agent is loaded. */
export interface EarlyConnection {
  readonly connection: Connection
  /** The identity by the first request. Rejects with an `ApiError` if that failed; `identify` can ask again. */
  readonly identity: Promise<Identity>
  /** Emits an event for each response: at once for earlier ones, and from now on for new ones. */
  readonly report: (emit: Emit) => void
}

/** Opens the connection and asks for the identity: the handshake runs while the rest is loaded. Throws `ApiError` for a wrong kubeconfig. */
export async function openEarly({ options }: Config): Promise<EarlyConnection> {
  const before: { readonly request: RequestInfo; readonly status: number }[] = []
  let listener: (answer: (typeof before)[number]) => void = answer => before.push(answer)
  const connection = await openConnection(options.kubeconfig, {
    userAgent: `berth/${VERSION}`,
    onResponse: (request, status) => listener({ request, status })
  })
  const identity = identify(connection)
  // The failure is handled where `identity` is awaited, which may be later.
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
