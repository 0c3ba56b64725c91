import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseRequestInfo } from '../../src/kubernetes/request-info.ts'

/** How many requests of agents there were, by what was asked and answered: `watch nodes 200`. */
export type Counts = Readonly<Record<string, number>>

interface Audited {
  readonly stage: string
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly userAgent?: string
  readonly responseStatus?: { readonly code?: number }
}

/** Requests of agents that came in that time (dates in milliseconds), from the API server's audit log. A watch counts when it begins. */
export async function requestsIn(auditLog: string, from: number, to: number): Promise<Counts> {
  const counts: Record<string, number> = {}
  const begun = 'ResponseStarted'
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    if (!line.includes('"userAgent":"berth/')) continue
    const { stage, verb, requestURI, requestReceivedTimestamp, responseStatus } = JSON.parse(line) as Audited
    const at = Date.parse(requestReceivedTimestamp)
    // A watch that is answered is told twice: when it begins and when it ends.
    const isTold = verb === 'watch' && responseStatus?.code === 200 ? stage === begun : stage !== begun
    if (at < from || at >= to || !isTold) continue
    const key = `${nameOf(verb, requestURI)} ${responseStatus?.code ?? 0}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

function nameOf(verb: string, uri: string): string {
  const method = ({ patch: 'PATCH', create: 'POST' } as Readonly<Record<string, string>>)[verb] ?? 'GET'
  const asked = parseRequestInfo(method, uri)
  return `${verb} ${asked.resource}${uri.includes('dryRun') ? ' (dry run)' : ''}`
}
