import { isDeepStrictEqual } from 'node:util'
import type { Status } from '../node-sync/status.ts'

/** How long a rendered text is reused while nothing but the time has changed (milliseconds). */
const AGE = 5_000

/** Renders once for many requests: again only when the status has changed, or when the text is older than `AGE`. */
export function renderedOnce(render: (status: Status) => string): (status: Status) => Buffer {
  let last: { readonly status: Status; readonly body: Buffer } | undefined
  return status => {
    if (last === undefined || !isCurrent(last.status, status)) last = { status, body: Buffer.from(render(status)) }
    return last.body
  }
}

/** False as well after the clock was set back. */
function isCurrent(before: Status, now: Status): boolean {
  const age = Date.parse(now.at) - Date.parse(before.at)
  // Snapshots are compared by identity, so the rest is a few short lists.
  const isSame = before.snapshot === now.snapshot && isDeepStrictEqual({ ...before, at: now.at }, now)
  return isSame && age >= 0 && age < AGE
}
