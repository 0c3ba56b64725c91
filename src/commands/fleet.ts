import type { Command, Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { WORLD, withConnection } from '../cli/connected.ts'
import { formatted } from '../fleet/format/all.ts'
import { type FleetWorld, gather, viewOf } from '../fleet/gather.ts'
import { live } from '../fleet/live.ts'

/** Nodes in one request: about 10 MB. */
const LIMIT = 500

/** Prints what all Nodes of the cluster can host. Changes nothing. */
export const fleet: Command = async (config, surroundings) => {
  const stop = new AbortController()
  // Only a watch is meant to be ended by a signal.
  if (config.options.watch) for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  return await fleetFrom(config, surroundings, { ...WORLD, signal: stop.signal, limit: LIMIT })
}

export async function fleetFrom(config: Config, surroundings: Surroundings, world: FleetWorld): Promise<number> {
  return await withConnection(config, world, async connection => {
    const job = { config, surroundings, world, connection }
    if (config.options.watch) {
      await live(job)
      return 0
    }
    const { nodes } = await gather(job)
    await print(formatted(viewOf(nodes.values(), job), config), surroundings)
    return 0
  })
}

/** How many characters are written at once. */
const PIECE = 65_536

async function print(parts: Iterable<string>, surroundings: Surroundings): Promise<void> {
  let text = ''
  for (const part of parts) {
    text += part
    if (text.length < PIECE) continue
    await surroundings.print(text)
    text = ''
  }
  await surroundings.print(text)
}
