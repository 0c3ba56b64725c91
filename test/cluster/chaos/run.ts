import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, nodeOf, oursOf } from '../../support/cluster/agent-process.ts'
import { chanceOf } from './chance.ts'
import { memoryWatch } from './memory.ts'
import { secondWriter } from './second-writer.ts'
import { type Home, type Stage, setStage } from './stage.ts'
import { TROUBLES } from './troubles.ts'
import { foreignChanges } from './untouched.ts'

export interface Chaos {
  readonly seconds: number
  /** Decides which trouble comes when, and how long it lasts. */
  readonly seed: number
  readonly say: (line: string) => void
}

/** However long the trouble lasted, all is right so soon after it (milliseconds): keys that were contested rest for a minute each. */
const CALM = 180_000

/**
 * Agents, with a real etcd and kube-apiserver, in trouble of every kind for so many seconds, each kind once before any comes again.
 * Resolves to everything that is wrong in the end; an empty list is what is expected.
 */
export async function chaos({ seconds, seed, say }: Chaos): Promise<readonly string[]> {
  const chance = chanceOf(seed)
  const stage = await setStage(chance)
  const homes: readonly Home[] = [...stage.lasting, stage.restarted, stage.inside]
  try {
    // Chance of its own, so that the order of troubles does not depend on how fast it writes.
    const writer = secondWriter(stage.cluster, homes, chanceOf(seed + 1))
    const memory = memoryWatch(stage.lasting.map(({ name, agent }) => ({ name, pid: agent.pid })))
    const wrong = await troubled(stage, seconds, seed, say)
    const own = await writer.end()
    say(`the trouble ends; somebody else changed labels ${writer.changes()} times`)
    wrong.push(...(await calmed(stage, homes, say)), ...memory.end(say), ...unwell(stage))
    wrong.push(...(await foreignChanges(stage.cluster, homes, own, stage.bystander)))
    return wrong
  } finally {
    await stage.close()
  }
}

async function troubled(stage: Stage, seconds: number, seed: number, say: Chaos['say']): Promise<string[]> {
  const chance = chanceOf(seed)
  const wrong: string[] = []
  const began = performance.now()
  const passed = () => (performance.now() - began) / 1_000
  do {
    for (const name of chance.shuffled(Object.keys(TROUBLES))) {
      say(`${passed().toFixed(0).padStart(4)} s: ${name}`)
      wrong.push(...[await TROUBLES[name]?.(stage, chance)].filter(what => what !== undefined))
      wrong.push(...unwell(stage).map(what => `after "${name}": ${what}`))
      if (wrong.length > 0) return wrong
      await sleep(chance.between(200, 1_500))
    }
  } while (passed() < seconds)
  return wrong
}

/** Who has ended, although nobody asked. */
const unwell = ({ lasting, restarted, inside }: Stage): readonly string[] => [
  ...[...lasting, restarted]
    .filter(({ agent }) => !agent.alive())
    .map(({ name, agent }) => `the agent on ${name} has ended; it said\n${agent.said().slice(-2_000)}`),
  ...(inside.run.ended() === undefined ? [] : [`the agent on ${inside.name} has ended: ${inside.run.ended()}`])
]

async function calmed({ cluster }: Stage, homes: readonly Home[], say: Chaos['say']): Promise<readonly string[]> {
  const began = performance.now()
  const wrongOn = async ({ name, right }: Home): Promise<readonly string[]> => {
    const carried = oursOf(await nodeOf(cluster, name).read())
    const keys = new Set([...Object.keys(right), ...Object.keys(carried)])
    return [...keys]
      .filter(key => right[key] !== carried[key])
      .map(key => `${name}: ${key} is ${carried[key] ?? 'absent'}, and should be ${right[key] ?? 'absent'}`)
  }
  const wrong = async () => (await Promise.all(homes.map(wrongOn))).flat()
  await eventually('all labels are right', async () => (await wrong()).length === 0, CALM).catch(() => undefined)
  const left = await wrong()
  const took = ((performance.now() - began) / 1_000).toFixed(1)
  say(left.length === 0 ? `all labels are right, ${took} s later` : `${left.length} labels are wrong, ${took} s later`)
  return left
}
