import type { Purpose } from './api-error.ts'
import { type Call, OBJECT_BYTES, type StreamCall } from './call.ts'
import { loadKubeconfig } from './credentials/kubeconfig.ts'
import { loadServiceAccount } from './credentials/service-account.ts'
import type { FailureContext } from './failures/failure.ts'
import { toApiError } from './failures/to-api-error.ts'
import { limited, wholeText } from './response-body.ts'
import { openTransport, type Transport, type TransportOptions } from './transport.ts'

/** The connection of this process to its Kubernetes API. Every refusal and every failure of the network is thrown as `ApiError`. */
export interface Connection {
  /** URL without user name and password. */
  readonly server: string
  /** Sends one request and resolves to its response, parsed as JSON. */
  readonly call: <T>(purpose: Purpose, call: Call) => Promise<T>
  /** Sends one request and resolves to its response in pieces, as they arrive. */
  readonly stream: (purpose: Purpose, call: StreamCall) => Promise<AsyncIterable<Uint8Array>>
  /** Closes at once: requests without a response fail. */
  readonly close: () => Promise<void>
}

export interface ConnectionOptions extends TransportOptions {
  /** Prefix of the path of the pod's service account, for tests. */
  readonly root: string
}

const DEFAULTS: ConnectionOptions = {
  userAgent: 'berth',
  root: '',
  timeouts: { connect: 5_000, idle: 10_000, total: 15_000 },
  onResponse: () => undefined
}

/** Uses the kubeconfig, or the pod's service account where the path is empty. Sends nothing yet. Throws `ApiError`. */
export async function openConnection(kubeconfig: string, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const { root, ...transportOptions } = { ...DEFAULTS, ...options }
  const { config, server, credentials } = kubeconfig === '' ? loadServiceAccount(root) : loadKubeconfig(kubeconfig)
  const transport = openTransport(config, transportOptions)
  const { timeouts } = transportOptions
  return {
    server,
    call: (purpose, call) => readJson({ transport, timeouts, context: { ...purpose, server, credentials } }, call),
    stream: (purpose, call) => openStream({ transport, context: { ...purpose, server, credentials } }, call),
    close: transport.close
  }
}

interface Request {
  readonly transport: Transport
  readonly context: FailureContext
}

async function readJson<T>(request: Request & Pick<TransportOptions, 'timeouts'>, call: Call): Promise<T> {
  const { transport, context, timeouts } = request
  const timeout = AbortSignal.timeout(timeouts.total)
  const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal])
  try {
    const body = await transport.send({ ...call, idleTimeout: timeouts.idle, signal })
    return JSON.parse(await wholeText(body, call.maxBytes ?? OBJECT_BYTES))
  } catch (error) {
    throw call.signal?.aborted ? error : toApiError(error, context)
  }
}

async function openStream({ transport, context }: Request, call: StreamCall): Promise<AsyncIterable<Uint8Array>> {
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(call.totalTimeout)])
  try {
    return withApiErrors(limited(await transport.send({ ...call, signal }), call.maxBytes), context)
  } catch (error) {
    throw call.signal.aborted ? error : toApiError(error, context)
  }
}

/** Passes on the pieces of a body; a failure while they are read is thrown as `ApiError` too. */
async function* withApiErrors(body: AsyncIterable<Uint8Array>, context: FailureContext): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw toApiError(error, context)
  }
}
