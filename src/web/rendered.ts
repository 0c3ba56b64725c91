import { isDeepStrictEqual } from 'node:util'
import type { Status } from '../node-sync/status.ts'

/** How long a text may tell the time at which it was made, where nothing else has changed (milliseconds). */
const AGE = 5_000

/** One text for all who ask, however many they are: made anew when what it tells has changed, and when its times have grown old. */
export function renderedOnce(render: (status: Status) => string): (status: Status) => Buffer {
  let last: { readonly status: Status; readonly body: Buffer } | undefined
  return status => {
    if (last === undefined || !isCurrent(last.status, status)) last = { status, body: Buffer.from(render(status)) }
    return last.body
  }
}

/** A clock that was set back makes it anew too. */
function isCurrent(before: Status, now: Status): boolean {
  const age = Date.parse(now.at) - Date.parse(before.at)
  // The same look is the same object, so this compares a few short lists.
  const isSame = before.snapshot === now.snapshot && isDeepStrictEqual({ ...before, at: now.at }, now)
  return isSame && age >= 0 && age < AGE
}
