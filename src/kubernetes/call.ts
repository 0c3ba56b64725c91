import { MIB } from './response-body.ts'

/** One request to the API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** With its query. */
  readonly path: string
  readonly body?: unknown
  /** Of the body; JSON by default. */
  readonly contentType?: string
  /** Of the response; JSON by default. */
  readonly accept?: string
  /** Ends the request before the timeout does. */
  readonly signal?: AbortSignal
  /** The largest response, bytes; `OBJECT_BYTES` by default. */
  readonly maxBytes?: number
}

/** A request whose response is read as it arrives. */
export interface StreamCall extends Call {
  /** The longest time between two parts of the response, milliseconds. */
  readonly idleTimeout: number
  /** From the request to the end of the response, milliseconds. */
  readonly totalTimeout: number
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** Milliseconds. */
export interface Timeouts {
  /** For TCP and TLS together, so that a handshake that hangs ends. */
  readonly connect: number
  /** Until a response begins, and between any two parts of it. */
  readonly idle: number
  /** From the request to the end of the response. */
  readonly total: number
}

/** etcd stores no object larger than 1.5 MiB, which is more as JSON. */
export const OBJECT_BYTES = 8 * MIB

/** For a page of a list that is read as a whole. */
export const LIST_BYTES = 64 * MIB

/** As `accept`: the response is the metadata alone, 8 kB of a Node's 20, since its list of images is left out. A PATCH honours it too. */
export const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

/** The same for a list. */
export const METADATA_ONLY_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
