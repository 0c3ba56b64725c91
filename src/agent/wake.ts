/** What has to be done: observe the node, or only make the Node agree with the last observation. */
export type Need = 'observe' | 'reconcile'

export interface Wake {
  /** Asks for one more turn; asked any number of times during a turn, it is one. */
  readonly want: (need: Need) => void
  /** Resolves when something was asked for, or after so many milliseconds, or when the signal is aborted. */
  readonly next: (milliseconds: number, signal: AbortSignal) => Promise<ReadonlySet<Need>>
}

/** Gathers reasons to do something, so that there is one turn at a time and no reason is lost. */
export function createWake(): Wake {
  let wanted = new Set<Need>()
  let ring: (() => void) | undefined
  const take = (): ReadonlySet<Need> => {
    const taken = wanted
    wanted = new Set()
    return taken
  }
  return {
    want: need => {
      wanted.add(need)
      ring?.()
    },
    next: async (milliseconds, signal) => {
      if (wanted.size === 0 && !signal.aborted) {
        await new Promise<void>(resolve => {
          const done = () => {
            clearTimeout(timer)
            signal.removeEventListener('abort', done)
            resolve()
          }
          const timer = setTimeout(done, milliseconds)
          ring = done
          signal.addEventListener('abort', done, { once: true })
        })
        ring = undefined
      }
      return take()
    }
  }
}
