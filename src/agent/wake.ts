/** What to do: observe the node, or only make the Node agree with the last observation. */
export type Need = 'observe' | 'reconcile'

export interface Wake {
  /** Requests one more turn. Several requests during a turn count as one. */
  readonly want: (need: Need) => void
  /** Resolves to the requests when there is one, after so many milliseconds, or when the signal is aborted. */
  readonly next: (milliseconds: number, signal: AbortSignal) => Promise<ReadonlySet<Need>>
}

/** Calls back after so many milliseconds, and returns how to cancel that. */
export type Timer = (milliseconds: number, callback: () => void) => () => void

const realTimer: Timer = (milliseconds, callback) => {
  const timer = setTimeout(callback, milliseconds)
  return () => clearTimeout(timer)
}

/** Collects requests for turns, so that there is one turn at a time and no request is lost. */
export function createWake(startTimer = realTimer): Wake {
  let wanted = new Set<Need>()
  let endWait: (() => void) | undefined
  const take = (): ReadonlySet<Need> => {
    const taken = wanted
    wanted = new Set()
    return taken
  }
  return {
    want: need => {
      wanted.add(need)
      endWait?.()
    },
    next: async (milliseconds, signal) => {
      if (wanted.size === 0 && !signal.aborted) {
        await new Promise<void>(resolve => {
          const done = () => {
            cancel()
            signal.removeEventListener('abort', done)
            resolve()
          }
          const cancel = startTimer(milliseconds, done)
          endWait = done
          signal.addEventListener('abort', done, { once: true })
        })
        endWait = undefined
      }
      return take()
    }
  }
}
