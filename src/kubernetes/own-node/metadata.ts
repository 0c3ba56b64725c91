import { parseResponse, WITH_METADATA } from '../response-schema.ts'

/** The metadata of a Node. */
export interface Metadata {
  readonly uid: string
  /** Grows with each change; Kubernetes 1.35 and newer allow to compare it as a number. */
  readonly resourceVersion: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** The metadata in a response of the API. Throws `ApiError`. */
export const parseMetadata = (response: unknown, action: string): Metadata =>
  metadataOf(parseResponse(WITH_METADATA, response, action).metadata)

/** Without the fields that berth does not use. */
export const metadataOf = ({ uid, resourceVersion, labels, annotations }: Metadata): Metadata => ({
  uid,
  resourceVersion,
  labels,
  annotations
})
