import type { Snapshot } from '../../src/cycle/snapshot.ts'
import type { Status } from '../../src/node-sync/status.ts'
import { createMetrics, type Metrics } from '../../src/web/metrics.ts'
import { type HttpServer, type HttpSources, startHttp } from '../../src/web/server.ts'
import { statusOf } from '../support/recorded-snapshot.ts'

export interface Serving extends HttpServer {
  readonly metrics: Metrics
}

/** What an agent serves after one look at a node, without an agent. */
export async function serve(snapshot: Snapshot, listen = '127.0.0.1:0', more: Partial<Status> = {}): Promise<Serving> {
  const metrics = createMetrics({ version: '0.1.0' })
  metrics.observeSnapshot(snapshot)
  const well = () => ({ ok: true, because: 'all is well' })
  const sources: HttpSources = {
    metrics,
    health: well,
    ready: well,
    status: () => statusOf(snapshot, more),
    failed: error => {
      throw error
    }
  }
  return { ...(await startHttp({ listen, sources })), metrics }
}
