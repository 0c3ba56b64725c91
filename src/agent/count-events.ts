import type { RemedyName } from '../remedies/all.ts'
import type { Outcome } from '../remedies/outcome.ts'
import type { Metrics } from '../web/metrics.ts'
import { type Emit, type Handlers, listenWith } from './agent-events.ts'

/** Updates the metrics. */
export function countEvents(metrics: Metrics, now: () => Date): Emit {
  return listenWith({ ...nodeCounts(metrics, now), ...apiCounts(metrics, now) })
}

const apiCounts = (metrics: Metrics, now: () => Date): Handlers => ({
  'guard-checked': ({ guard }) => metrics.guard(guard.enforced),
  'api-alive': () => metrics.success('watch', now()),
  'api-answered': ({ request, status }) => metrics.apiRequest(request, status),
  'watch-restarted': ({ reason }) => metrics.watchRestarted(reason)
})

function nodeCounts(metrics: Metrics, now: () => Date): Handlers {
  /** The time of the last counted run of each remedy. */
  const counted = new Map<RemedyName, string>()
  return {
    observed: ({ snapshot }) => {
      for (const { remedy, result } of snapshot.outcomes.filter(outcome => isUncounted(counted, outcome)))
        metrics.remedyRun(remedy, result)
      metrics.observeSnapshot(snapshot)
      metrics.success('look', now())
    },
    'turn-ended': ({ isPublished }) => {
      if (isPublished) metrics.success('publish', now())
    },
    wrote: ({ target, result }) => {
      metrics.published(target, result)
      if (target === 'condition' && result === 'written') metrics.success('heartbeat', now())
    },
    repaired: ({ drift, seconds }) => metrics.driftRepaired(drift.kind, seconds),
    contested: ({ keys }) => metrics.driftContested(keys)
  }
}

/** Whether this run is not counted yet. A handover that was rejected for a while shows the same run again. */
function isUncounted(counted: Map<RemedyName, string>, { remedy, at }: Outcome): boolean {
  if (at === '' || counted.get(remedy) === at) return false
  counted.set(remedy, at)
  return true
}
