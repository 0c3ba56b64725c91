import { setTimeout as sleep } from 'node:timers/promises'
import { nodeOf } from '../../support/cluster/agent-process.ts'
import type { ControlPlane } from '../../support/cluster/control-plane.ts'
import type { Chance } from './chance.ts'
import type { Home } from './stage.ts'

export interface SecondWriter {
  /** Changes that the API took. */
  readonly changes: () => number
  /** Changes nothing more. Resolves to the labels of its own that each Node must carry from now on. */
  readonly end: () => Promise<Readonly<Record<string, string>>>
}

/** Somebody who changes our labels and their own, for as long as it is let. What the API does not take is lost. */
export function secondWriter(cluster: ControlPlane, homes: readonly Home[], chance: Chance): SecondWriter {
  const ending = new AbortController()
  let changes = 0
  const write = async (home: Home, labels: Readonly<Record<string, string | null>>): Promise<void> => {
    await nodeOf(cluster, home.name)
      .label(labels)
      .then(
        () => {
          changes += 1
        },
        () => undefined
      )
  }
  const running = (async () => {
    for (let round = 0; !ending.signal.aborted; round += 1) {
      const home = chance.oneOf(homes)
      const key = chance.oneOf(Object.keys(home.right))
      const change = chance.oneOf([
        { [key]: `falsified-${round}` },
        { [key]: null },
        { [`berth.dev/stray-${round % 7}`]: 'x' },
        { [`example.com/own-${round % 3}`]: `${round}` }
      ])
      await write(home, change)
      await sleep(chance.between(50, 500), undefined, { signal: ending.signal }).catch(() => undefined)
    }
  })()
  return {
    changes: () => changes,
    end: async () => {
      ending.abort()
      await running
      const own = { 'example.com/own-0': 'a', 'example.com/own-1': 'b', 'example.com/own-2': 'c' }
      for (const { name } of homes) await nodeOf(cluster, name).label(own)
      return own
    }
  }
}
