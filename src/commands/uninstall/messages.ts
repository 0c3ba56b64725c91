import type { V1Node } from '../../kubernetes/models.ts'
import { CONDITION_TYPE } from '../../node-sync/condition.ts'
import { isNothing, removalText } from '../../node-sync/own-entries.ts'
import { row } from '../../terminal-layout.ts'
import { span } from '../../web/page-parts.ts'
import type { AgentPod } from './running-agent.ts'
import type { Stripped } from './strip.ts'

export interface MessageTerms {
  readonly isDryRun: boolean
  readonly columns: number
}

/** The result for one Node, `n1: removed …`. Further lines are indented. */
export function nodeMessage({ name, removed, isGone, problems }: Stripped, { isDryRun, columns }: MessageTerms): string {
  const parts = [
    ...(isNothing(removed) ? [] : [`${isDryRun ? 'would remove' : 'removed'} ${removalText(removed)}`]),
    ...(isGone ? ['was deleted meanwhile'] : []),
    ...problems.map(problem => `FAILED: ${problem}`)
  ]
  return paragraph(`${name}: ${parts.length === 0 ? 'nothing to remove' : parts.join('; ')}`, columns)
}

interface HeartbeatTerms {
  /** Why the Pods could not be listed. */
  readonly why: string
  readonly now: Date
  readonly columns: number
}

/** A running agent writes a heartbeat at least every few minutes (milliseconds). */
const FRESH = 10 * 60_000

/** Warns that an agent is running. */
export function runningWarning({ namespace, name, node, owner }: AgentPod, columns: number): string {
  const place = node === '' ? '' : ` on ${node}`
  const text = `warning: an agent runs${place} (Pod ${name} in the Namespace ${namespace}) and would write everything back.`
  return `${paragraph(text, columns)}\n    Delete it first: kubectl -n ${namespace} delete ${owner}`
}

/**
 * Warns if one of the Nodes has a recent heartbeat, for users who may not list Pods. Also warns for some minutes after an agent has ended,
 * because the heartbeat does not show that.
 */
export function heartbeatWarning(nodes: readonly V1Node[], { why, now, columns }: HeartbeatTerms): string | undefined {
  for (const { metadata, status } of nodes) {
    const beat = status?.conditions?.find(({ type }) => type === CONDITION_TYPE)?.lastHeartbeatTime
    const age = beat === undefined ? Number.POSITIVE_INFINITY : now.getTime() - new Date(beat).getTime()
    if (beat === undefined || Math.abs(age) >= FRESH) continue
    const old = span(new Date(beat).toISOString(), now.toISOString()) || '0 s'
    const text = `warning: it is unknown whether an agent still runs (${why}). The last heartbeat on ${metadata?.name} is ${old} old; a running agent would write everything back.`
    return `${paragraph(text, columns)}\n    If it still runs: kubectl -n berth delete daemonset berth`
  }
  return undefined
}

/** The results so far. */
export interface Tally {
  done: number
  removed: number
  failed: number
  /** Names of the Nodes that have the startup taint. */
  tainted: readonly string[]
}

export const EMPTY: Tally = { done: 0, removed: 0, failed: 0, tainted: [] }

export const counted = (tally: Tally, { removed, problems }: Stripped): Tally => ({
  ...tally,
  done: tally.done + 1,
  removed: tally.removed + (isNothing(removed) ? 0 : 1),
  failed: tally.failed + (problems.length > 0 ? 1 : 0)
})

export function summary({ done, removed, failed }: Tally, { isDryRun }: MessageTerms): string {
  const verb = isDryRun ? 'would be changed' : 'changed'
  return `${done} ${done === 1 ? 'Node' : 'Nodes'} checked: ${removed} ${verb}, ${failed} failed.`
}

/** The agent removes this taint but never sets it, so uninstall leaves it. Without an agent, nothing removes it. */
export function taintNote({ tainted }: Tally, key: string, columns: number): string {
  const [first = '', ...more] = tainted
  const text =
    more.length === 0
      ? `note: ${first} still has the startup taint, which keeps pods away until you remove it.`
      : `note: ${tainted.length} Nodes (${first}, …) still have the startup taint, which keeps pods away until you remove it.`
  return `${paragraph(text, columns)}\n    kubectl taint node ${more.length === 0 ? first : '--all'} ${key}-`
}

const paragraph = (text: string, columns: number): string => row({ text, columns, indent: 4 }).join('\n')
