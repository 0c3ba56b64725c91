import { stat } from 'node:fs/promises'
import { termsOf } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { openHost, readNode } from '../cli/open-host.ts'
import { type Clock, cycle } from '../cycle/cycle.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { HostReader } from '../host/host.ts'

/** Observes the host root and the Node file that the options name, and uses what a helper of this node left. */
export async function observeNode(config: Config, clock: Clock): Promise<Snapshot> {
  const root = config.options['host-root']
  const [host, node] = await Promise.all([openHost(root), readNode(config.options.node)])
  // A recorded node has no helper, and what lies here is of another one.
  const handed = (await stat(root)).isDirectory() ? await handedOver(config, host, node) : {}
  return await cycle({ host, node, podSecurity: namespaceWithoutCluster(config), ...handed }, termsOf(config), clock)
}

async function handedOver(config: Config, host: HostReader, node: NodeObject | undefined) {
  const { helperHandover } = await import('../helper/read-handover.ts')
  // A doubt stands in place of the proofs, where it is read.
  return await helperHandover({ config, host, doubted: () => undefined, name: node?.name ?? '' })
}

const namespaceWithoutCluster = ({ options }: Config) =>
  options['workspace-namespace'] === ''
    ? undefined
    : ({ ok: false, why: 'a Pod Security level is read from a cluster, which this command does not ask' } as const)
