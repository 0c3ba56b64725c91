interface AuditEvent {
  readonly auditID: string
  readonly requestReceivedTimestamp: string
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string }
}

export interface Asked {
  /** The beginning of the user's name. */
  readonly user: string
  readonly from: Date
  readonly to: Date
}

/** Requests in the text of an audit log, `get nodes` → 3. A watch is logged when it opens and when it ends, and counts once. */
export function requestsIn(log: string, { user, from, to }: Asked): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  const seen = new Set<string>()
  for (const line of log.split('\n')) {
    if (!line.includes(user)) continue
    const { auditID, requestReceivedTimestamp, verb, user: asker, objectRef } = JSON.parse(line) as AuditEvent
    const at = new Date(requestReceivedTimestamp)
    if (!asker.username.startsWith(user) || at < from || at >= to || seen.has(auditID)) continue
    seen.add(auditID)
    const name = [verb, [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')].filter(Boolean).join(' ')
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
