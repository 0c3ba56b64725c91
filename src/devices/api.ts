import {
  type ClientUnaryCall,
  credentials,
  loadPackageDefinition,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type ServiceError
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'

/** The version of the API that a plugin names when it registers (k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1/constants.go). */
export const API_VERSION = 'v1beta1'
export const KUBELET_SOCKET = 'kubelet.sock'

export interface Device {
  readonly ID: string
  readonly health: 'Healthy' | 'Unhealthy'
}

interface DeviceSpec {
  readonly containerPath: string
  readonly hostPath: string
  /** Of the device cgroup: `rw`. */
  readonly permissions: string
}

export interface AllocateRequest {
  readonly containerRequests: readonly { readonly devicesIds: readonly string[] }[]
}

export interface AllocateResponse {
  readonly containerResponses: readonly { readonly devices: readonly DeviceSpec[] }[]
}

export type DeviceStream = ServerWritableStream<object, { readonly devices: readonly Device[] }>

interface RegisterRequest {
  readonly version: string
  /** Name of the plugin's socket, in the kubelet's directory. */
  readonly endpoint: string
  readonly resourceName: string
}

type Field = readonly [id: number, type: string, rule?: 'repeated']

const message = (fields: Readonly<Record<string, Field>>) => ({
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [id, type, rule]]) => [name, rule === undefined ? { id, type } : { id, type, rule }])
  )
})

const call = (requestType: string, responseType: string) => ({ requestType, responseType })

/**
 * What a plugin needs of k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1/api.proto; fields that are not here are left out of messages, as
 * protobuf allows. A test compares it with the file that Kubernetes publishes.
 */
export const DEFINITION = {
  nested: {
    [API_VERSION]: {
      nested: {
        Registration: { methods: { Register: call('RegisterRequest', 'Empty') } },
        DevicePlugin: {
          methods: {
            GetDevicePluginOptions: call('Empty', 'DevicePluginOptions'),
            ListAndWatch: { ...call('Empty', 'ListAndWatchResponse'), responseStream: true },
            Allocate: call('AllocateRequest', 'AllocateResponse')
          }
        },
        Empty: message({}),
        RegisterRequest: message({ version: [1, 'string'], endpoint: [2, 'string'], resourceName: [3, 'string'] }),
        DevicePluginOptions: message({ preStartRequired: [1, 'bool'], getPreferredAllocationAvailable: [2, 'bool'] }),
        ListAndWatchResponse: message({ devices: [1, 'Device', 'repeated'] }),
        Device: message({ ID: [1, 'string'], health: [2, 'string'] }),
        AllocateRequest: message({ containerRequests: [1, 'ContainerAllocateRequest', 'repeated'] }),
        ContainerAllocateRequest: message({ devicesIds: [1, 'string', 'repeated'] }),
        AllocateResponse: message({ containerResponses: [1, 'ContainerAllocateResponse', 'repeated'] }),
        ContainerAllocateResponse: message({ devices: [3, 'DeviceSpec', 'repeated'] }),
        DeviceSpec: message({ containerPath: [1, 'string'], hostPath: [2, 'string'], permissions: [3, 'string'] })
      }
    }
  }
}

// The type of the library wants comments of every method, which the library itself does not.
const api = loadPackageDefinition(fromJSON(DEFINITION as unknown as Parameters<typeof fromJSON>[0]))[API_VERSION] as Readonly<
  Record<string, ServiceClientConstructor>
>

const constructorOf = (service: string): ServiceClientConstructor => {
  const found = api[service]
  if (found === undefined) throw new Error(`the definition has no service ${service}`)
  return found
}

export const DEVICE_PLUGIN = constructorOf('DevicePlugin').service

/** How long the kubelet may take to answer (milliseconds); it asks the plugin for its options meanwhile. */
const PATIENCE = 3_000

/** Registers a plugin with the kubelet that listens on a socket. Rejects with gRPC's `ServiceError`. */
export async function register(socket: string, request: RegisterRequest): Promise<void> {
  const client = new (constructorOf('Registration'))(`unix:${socket}`, credentials.createInsecure())
  try {
    await new Promise<void>((done, fail) => {
      const answered = (error: ServiceError | null): void => (error === null ? done() : fail(error))
      const ask = client['Register'] as (request: RegisterRequest, options: object, done: typeof answered) => ClientUnaryCall
      ask.call(client, request, { deadline: Date.now() + PATIENCE }, answered)
    })
  } finally {
    client.close()
  }
}
