import type { FactName } from '../facts/observe.ts'
import type { Log } from '../log.ts'
import { type AgentEvent, connectionSeenIn, type Emit, type Handlers, listenWith } from './agent-events.ts'

/** Writes a log line for each event that an operator may want to read. */
export function logEvents(log: Log, { node, version }: { readonly node: string; readonly version: string }): Emit {
  /** Why a fact could not be read from the API the last time. */
  const lost = new Map<FactName, string>()
  let isConnected = false
  const logConnection = (event: AgentEvent): void => {
    const seen = connectionSeenIn(event)
    if (seen?.isConnected && !isConnected) log.event('api-back', 'the Kubernetes API responds')
    isConnected = seen?.isConnected ?? isConnected
  }
  const listen = listenWith({
    ...{ ...apiLines(log), ...nodeLines(log), ...factLines(log, lost) },
    started: ({ server }) => log.event('agent-started', `berth ${version} for the Node ${node}`, { server })
  })
  return event => {
    logConnection(event)
    listen(event)
  }
}

const apiLines = (log: Log): Handlers => ({
  identified: ({ user, node }) => {
    const where = node === '' ? ', which belongs to no Node' : ` on the Node ${node}`
    log.event('identity-proved', `the API knows us as ${user}${where}`)
  },
  'guard-checked': ({ guard }) => log.event(guard.enforced ? 'guard-proved' : 'guard-missing', guard.says),
  'api-lost': ({ error }) => log.event(error.status === 404 ? 'node-missing' : 'api-lost', error.message, { error }),
  'watch-restarted': ({ reason, error }) => {
    // Only a person can grant the permission.
    if (reason === 'refused' && error !== undefined) log.event('watch-refused', error.message, { error })
    else log.event('watch-restarted', `the watch was opened again: ${reason}`, error === undefined ? {} : { error })
  }
})

const nodeLines = (log: Log): Handlers => ({
  observed: ({ snapshot }) => log.event('node-looked-at', 'observed the node', { recalled: snapshot.recalled }),
  wrote: ({ target, result, what, error }) => {
    if (result === 'written') return log.event(WRITTEN[target], what)
    const code = result === 'refused' ? 'write-refused' : 'write-failed'
    log.event(code, `${target} ${what}: ${error?.message ?? result}`, { key: `${target} ${what}` })
  },
  repaired: ({ drift: { key, kind } }) =>
    log.event('drift-repaired', `${key} was ${kind} by somebody else, and has been repaired`, { key }),
  contested: ({ begun }) => {
    for (const key of begun)
      log.event('drift-contested', `somebody keeps changing ${key}; its repair is paused for a minute`, { key })
  }
})

const WRITTEN = {
  labels: 'labels-written',
  report: 'report-written',
  condition: 'condition-written',
  taint: 'taint-removed',
  event: 'event-written'
} as const

const factLines = (log: Log, lost: Map<FactName, string>): Handlers => ({
  'handover-doubted': ({ why }) => log.event('helper-doubted', why),
  'fact-asked': ({ fact, answer }) => {
    const before = lost.get(fact)
    lost.delete(fact)
    if (answer === undefined) return
    if (answer.ok) {
      if (before !== undefined) log.event('fact-found', `the API returns ${fact} again`, { fact })
      return
    }
    lost.set(fact, answer.why)
    // Logged once and not at every observation, because it stays so until a person fixes it.
    if (answer.why !== before) log.event('fact-lost', answer.why, { fact })
  }
})
