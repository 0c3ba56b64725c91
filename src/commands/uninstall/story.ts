import type { V1Node } from '../../kubernetes/models.ts'
import { row } from '../../layout.ts'
import { CONDITION_TYPE } from '../../node-sync/condition.ts'
import { isNothing, removalText } from '../../node-sync/removal.ts'
import { span } from '../../web/page-parts.ts'
import type { AgentPod } from './running-agent.ts'
import type { Stripped } from './strip.ts'

/** How it is told. */
export interface Telling {
  readonly isDryRun: boolean
  readonly columns: number
}

/** What came of one Node, `n1: removed …`; a longer text goes on below, indented. */
export function told({ name, removed, isGone, problems }: Stripped, { isDryRun, columns }: Telling): string {
  const parts = [
    ...(isNothing(removed) ? [] : [`${isDryRun ? 'would remove' : 'removed'} ${removalText(removed)}`]),
    ...(isGone ? ['was deleted meanwhile'] : []),
    ...problems.map(problem => `FAILED: ${problem}`)
  ]
  return paragraph(`${name}: ${parts.length === 0 ? 'nothing to remove' : parts.join('; ')}`, columns)
}

interface Unasked {
  /** Why the Pods could not be listed. */
  readonly why: string
  readonly now: Date
  readonly columns: number
}

/** An agent that lives writes at least every few minutes (milliseconds). */
const FRESH = 10 * 60_000

/** A warning of an agent that runs. */
export function runningWarning({ namespace, name, node, owner }: AgentPod, columns: number): string {
  const place = node === '' ? '' : ` on ${node}`
  const text = `warning: an agent runs${place} (Pod ${name} in the Namespace ${namespace}) and would write everything back.`
  return `${paragraph(text, columns)}\n    First end it: kubectl -n ${namespace} delete ${owner}`
}

/**
 * A warning when one of the Nodes has had an agent's heartbeat lately, for whoever cannot ask whether the agent still runs. For some
 * minutes after an agent has ended this is all that is known.
 */
export function heartbeatWarning(nodes: readonly V1Node[], { why, now, columns }: Unasked): string | undefined {
  for (const { metadata, status } of nodes) {
    const beat = status?.conditions?.find(({ type }) => type === CONDITION_TYPE)?.lastHeartbeatTime
    const age = beat === undefined ? Number.POSITIVE_INFINITY : now.getTime() - new Date(beat).getTime()
    if (beat === undefined || Math.abs(age) >= FRESH) continue
    const old = span(new Date(beat).toISOString(), now.toISOString()) || '0 s'
    const text = `warning: it is not known whether an agent still runs (${why}). The last heartbeat on ${metadata?.name} is ${old} old; an agent that runs would write everything back.`
    return `${paragraph(text, columns)}\n    Unless it has ended: kubectl -n berth delete daemonset berth`
  }
  return undefined
}

/** What happened to all Nodes so far. */
export interface Tally {
  done: number
  removed: number
  failed: number
  /** Nodes that the startup taint holds pods off. */
  tainted: readonly string[]
}

export const EMPTY: Tally = { done: 0, removed: 0, failed: 0, tainted: [] }

export const counted = (tally: Tally, { removed, problems }: Stripped): Tally => ({
  ...tally,
  done: tally.done + 1,
  removed: tally.removed + (isNothing(removed) ? 0 : 1),
  failed: tally.failed + (problems.length > 0 ? 1 : 0)
})

export function summary({ done, removed, failed }: Tally, { isDryRun }: Telling): string {
  const verb = isDryRun ? 'would be changed' : 'changed'
  return `${done} ${done === 1 ? 'Node' : 'Nodes'} looked at: ${removed} ${verb}, ${failed} failed.`
}

/** The agent takes this taint away and never sets it, so it is not ours to remove; but without an agent it stays. */
export function taintNote({ tainted }: Tally, key: string, columns: number): string {
  const [first = '', ...more] = tainted
  const text =
    more.length === 0
      ? `note: the startup taint still stands on ${first}, and no pod comes there until it is gone.`
      : `note: the startup taint still stands on ${tainted.length} Nodes (${first}, …), and no pod comes there until it is gone.`
  return `${paragraph(text, columns)}\n    kubectl taint node ${more.length === 0 ? first : '--all'} ${key}-`
}

const paragraph = (text: string, columns: number): string => row({ text, columns, indent: 4 }).join('\n')
