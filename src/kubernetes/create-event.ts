import { METADATA_ONLY } from './call.ts'
import type { Connection } from './connection.ts'
import type { CoreV1Event } from './models.ts'

/** Where Events about Nodes are stored. */
export const EVENTS_PATH = '/api/v1/namespaces/default/events'

/** Throws `ApiError`. */
export async function createEvent(connection: Connection, body: CoreV1Event): Promise<void> {
  const purpose = { action: 'write an event', ifNotFound: '' }
  await connection.call(purpose, { method: 'POST', path: EVENTS_PATH, body, accept: METADATA_ONLY })
}
