import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { type AllocateRequest, type AllocateResponse, DEVICE_PLUGIN, type Device, type DeviceStream } from './api.ts'
import type { Health } from './health.ts'
import { KINDS, type KindName } from './kinds.ts'

/** Serves one resource on a socket of its own. */
export interface Plugin {
  /** Name of the socket in the kubelet's directory. */
  readonly endpoint: string
  /** Whether the kubelet listens to the list of devices. */
  readonly isWatched: () => boolean
  /** Sends the list anew. */
  readonly update: () => void
  /** The kubelet sees the connection end, and the socket is removed. */
  readonly stop: () => void
}

export interface Offer {
  readonly name: KindName
  /** How many pods can have the device at the same time. */
  readonly slots: number
  readonly health: () => Health
}

/** `berth-fuse-` and a word by chance: a socket is never taken twice, so nobody removes the one of another. */
export const prefixOf = (name: KindName): string => `berth-${name}-`

/** Listens in the kubelet's directory. Rejects with what the system says. */
export async function startPlugin(folder: string, offer: Offer): Promise<Plugin> {
  const endpoint = `${prefixOf(offer.name)}${randomBytes(4).toString('hex')}.sock`
  const streams = new Set<DeviceStream>()
  const server = new Server()
  server.addService(DEVICE_PLUGIN, {
    getDevicePluginOptions: (_: unknown, answer: sendUnaryData<object>) => answer(null, {}),
    listAndWatch: (stream: DeviceStream) => {
      streams.add(stream)
      stream.on('cancelled', () => streams.delete(stream))
      stream.write({ devices: devicesOf(offer) })
    },
    allocate: (call: ServerUnaryCall<AllocateRequest, AllocateResponse>, answer: sendUnaryData<AllocateResponse>) => {
      const response = allocate(offer, call.request)
      answer(
        typeof response === 'string' ? { code: status.FAILED_PRECONDITION, details: response } : null,
        response as AllocateResponse
      )
    }
  })
  await new Promise<void>((done, fail) => {
    server.bindAsync(`unix:${join(folder, endpoint)}`, ServerCredentials.createInsecure(), error =>
      error === null ? done() : fail(error)
    )
  })
  return {
    endpoint,
    isWatched: () => streams.size > 0,
    update: () => {
      for (const stream of streams) stream.write({ devices: devicesOf(offer) })
    },
    stop: () => server.forceShutdown()
  }
}

/** The ids are the same after each start: the kubelet keeps which pod has which. */
function devicesOf({ name, slots, health }: Offer): readonly Device[] {
  const state = health().why === '' ? 'Healthy' : 'Unhealthy'
  return Array.from({ length: slots }, (_, index) => ({ ID: `${name}-${index}`, health: state }))
}

/** The device for each container, or why there is none. All ids stand for the same device. */
function allocate({ name, health }: Offer, { containerRequests }: AllocateRequest): AllocateResponse | string {
  const { why } = health()
  if (why !== '') return why
  const { path } = KINDS[name]
  const devices = [{ containerPath: path, hostPath: path, permissions: 'rw' }]
  return { containerResponses: containerRequests.map(() => ({ devices })) }
}
