import { stat } from 'node:fs/promises'
import { termsOf } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { openHost, readNode } from '../cli/open-host.ts'
import { type Clock, cycle } from '../cycle/cycle.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { HostReader } from '../host/host.ts'

/** Observes the host root and the Node file of the options, with the results of a helper on this node. */
export async function observeNode(config: Config, clock: Clock): Promise<Snapshot> {
  const root = config.options['host-root']
  const [host, node] = await Promise.all([openHost(root), readNode(config.options.node)])
  // The handover on this machine does not belong to a recorded node.
  const handed = (await stat(root)).isDirectory() ? await handedOver(config, host, node) : {}
  return await cycle({ host, node, podSecurity: namespaceWithoutCluster(config), ...handed }, termsOf(config), clock)
}

async function handedOver(config: Config, host: HostReader, node: NodeObject | undefined) {
  const { helperHandover } = await import('../helper/read-handover.ts')
  // Why a handover is not used appears in the reasons of the facts that miss it.
  return await helperHandover({ config, host, doubted: () => undefined, name: node?.name ?? '' })
}

const namespaceWithoutCluster = ({ options }: Config) =>
  options['workspace-namespace'] === ''
    ? undefined
    : ({ ok: false, why: 'the Pod Security level is in the cluster, which this command does not read' } as const)
