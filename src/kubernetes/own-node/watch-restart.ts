import type { ApiError } from '../api-error.ts'

/** Why a watch had to be opened again. */
export type Restart = 'ended' | 'expired' | 'throttled' | 'refused' | 'server' | 'silent' | 'network'

/** What kind of failure broke a watch. */
export function restartOf({ status, code, message }: ApiError): Restart {
  // A cluster that was restored from a backup counts on from an older version, and does not know ours.
  if (status === 410 || /too large resource version/i.test(message)) return 'expired'
  if (status === 429) return 'throttled'
  if (status >= 500) return 'server'
  if (status >= 400) return 'refused'
  return /TIMEOUT/i.test(code) ? 'silent' : 'network'
}
