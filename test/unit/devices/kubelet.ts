import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
  status
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import { API_VERSION, DEFINITION, type Device, KUBELET_SOCKET } from '../../../src/devices/api.ts'

const definition = fromJSON(DEFINITION as unknown as Parameters<typeof fromJSON>[0])
const api = loadPackageDefinition(definition)[API_VERSION] as unknown as Record<
  'Registration' | 'DevicePlugin',
  ServiceClientConstructor
>

interface Request {
  readonly version: string
  readonly endpoint: string
  readonly resourceName: string
}

export interface Registered extends Request {
  /** The lists that the plugin has sent, the last one last. */
  readonly lists: (readonly Device[])[]
  readonly isConnected: () => boolean
  readonly disconnect: () => void
  readonly allocate: (ids: readonly string[]) => Promise<unknown>
}

/** Stands for the kubelet: it takes registrations, listens to each plugin, and asks for devices. */
export interface Kubelet {
  readonly registered: readonly Registered[]
  /** As after a kill -9: its connections end, and its socket stays. */
  readonly kill: () => void
}

/** Empties the directory first, as the kubelet does, but for its own checkpoint. `refuses`: what it answers to a registration. */
export async function startKubelet(folder: string, refuses?: (request: Request) => string | undefined): Promise<Kubelet> {
  for (const name of readdirSync(folder)) if (name.endsWith('.sock')) rmSync(join(folder, name))
  const registered: Registered[] = []
  const clients: Client[] = []
  const server = new Server()
  server.addService(api.Registration.service, {
    register: (call: ServerUnaryCall<Request, object>, answer: sendUnaryData<object>) => {
      const refusal = refuses?.(call.request)
      if (refusal !== undefined) return answer({ code: status.UNKNOWN, details: refusal })
      const client = new api.DevicePlugin(`unix:${join(folder, call.request.endpoint)}`, credentials.createInsecure())
      clients.push(client)
      listen(client, call.request, registered).then(
        () => answer(null, {}),
        (error: Error) => answer({ code: status.UNKNOWN, details: error.message })
      )
    }
  })
  await new Promise<void>((done, fail) =>
    server.bindAsync(`unix:${join(folder, KUBELET_SOCKET)}`, ServerCredentials.createInsecure(), error =>
      error === null ? done() : fail(error)
    )
  )
  return {
    registered,
    kill: () => {
      for (const client of clients) client.close()
      server.forceShutdown()
    }
  }
}

type Call = (request: object, done: (error: Error | null, answer: unknown) => void) => void

async function listen(client: Client, request: Request, registered: Registered[]): Promise<void> {
  const methods = client as unknown as Readonly<Record<'GetDevicePluginOptions' | 'Allocate', Call>> & {
    readonly ListAndWatch: (request: object) => ClientReadableStream<{ readonly devices: readonly Device[] }>
  }
  const ask = (name: 'GetDevicePluginOptions' | 'Allocate', request: object): Promise<unknown> =>
    new Promise((done, fail) => methods[name](request, (error, answer) => (error === null ? done(answer) : fail(error))))
  await ask('GetDevicePluginOptions', {})
  const lists: (readonly Device[])[] = []
  let isConnected = true
  const stream = methods.ListAndWatch({})
  stream.on('data', ({ devices }) => lists.push(devices))
  stream.on('error', () => {
    isConnected = false
  })
  registered.push({
    ...request,
    lists,
    isConnected: () => isConnected,
    disconnect: () => stream.cancel(),
    allocate: devicesIds => ask('Allocate', { containerRequests: [{ devicesIds }] })
  })
}
