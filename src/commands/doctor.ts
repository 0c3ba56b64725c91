import { type Command, CommandError, type Surroundings } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { WORLD, type World, withConnection } from '../cli/connected.ts'
import { openHost } from '../cli/open-host.ts'
import { painter } from '../paint.ts'
import { printable } from '../printable.ts'
import { type Finding, findingsTable } from '../report/findings.ts'
import { VERSION } from '../version.ts'
import { parseListen } from '../web/server.ts'
import { findings } from './doctor/checks.ts'
import { inspect } from './doctor/inspect.ts'
import type { Terms } from './doctor/inspection.ts'

/** Checks an installation. A failed check does not stop the others. */
export const doctor: Command = (config, surroundings) => runDoctor(config, surroundings, WORLD)

export async function runDoctor(config: Config, { print, clock }: Surroundings, world: World): Promise<number> {
  const { options, screen } = config
  const terms = termsFrom(config)
  const host = await openHost(options['host-root'])
  const found = await withConnection(config, world, async connection =>
    findings(await inspect({ terms, connection, host, clock, world }))
  )
  if (options.format === 'json') print(`${printable(JSON.stringify(found satisfies readonly Finding[]))}\n`)
  else print(findingsTable(found, painter(screen)))
  return found.some(({ answer }) => answer === 'no') ? 1 : 0
}

function termsFrom({ options }: Config): Terms {
  const nodeName = options['node-name']
  if (nodeName === '') {
    throw new CommandError('doctor needs the name of the Node to check: expected --node-name NAME or NODE_NAME', { status: 2 })
  }
  return {
    nodeName,
    prefix: options['label-prefix'],
    workspaceNamespace: options['workspace-namespace'],
    startupTaint: options['startup-taint'],
    heartbeat: options.heartbeat,
    agentAddress: addressFrom(options.listen),
    version: VERSION
  }
}

/** An agent that listens on all addresses is reached on the loopback address. */
function addressFrom(listen: string): string {
  try {
    const { host, port } = parseListen(listen)
    const target = ['', '0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
    return `${target.includes(':') ? `[${target}]` : target}:${port}`
  } catch (error) {
    throw new CommandError(`--listen is "${listen}": expected host:port`, { status: 2, cause: error })
  }
}
