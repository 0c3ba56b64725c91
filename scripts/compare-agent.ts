import type { ControlPlane } from '../test/support/cluster/control-plane.ts'
import { launch, logTail, type RunningProcess } from '../test/support/cluster/processes.ts'

/** A process as its manifest starts it. */
export interface Program {
  readonly name: string
  /** One for each Node, or one for the cluster. */
  readonly runs: 'node' | 'cluster'
  readonly environment: Readonly<Record<string, string>>
  readonly argv: readonly [string, ...string[]]
}

/** What is compared: programs that label a Node together. */
export interface Agent {
  readonly title: string
  /** Keys of the labels that it writes begin with this. */
  readonly prefix: string
  /** The users as whom it asks the API server, as the audit log has them, begin with this. */
  readonly user: string
  /** For that Node, which exists. `server` is the URL of the API server, or of a proxy before it. */
  readonly programs: (node: string, server: string) => Promise<readonly Program[]>
  /** Removes what it left in the API besides the Node. */
  readonly clean: () => Promise<void>
  /** Bytes of the files that run. */
  readonly sizes: () => Promise<Readonly<Record<string, number>>>
}

export interface Started extends RunningProcess {
  readonly program: Program
}

/** `inside`: the start of a command line which runs what follows it. The environment is only what the program's manifest sets. */
export async function startProgram(plane: ControlPlane, program: Program, inside: readonly string[] = []): Promise<Started> {
  const variables = Object.entries(program.environment).map(([name, value]) => `${name}=${value}`)
  const command = [...inside, 'env', '-i', ...variables, ...program.argv] as unknown as readonly [string, ...string[]]
  return { ...(await launch(command, `${plane.directory}/${program.name}.log`)), program }
}

export async function endAll(started: readonly RunningProcess[]): Promise<void> {
  for (const one of started) one.signal('SIGTERM')
  await Promise.all(started.map(one => one.ended))
}

/** The same, but an error tells what the programs wrote last. */
export async function withLogs<T>(started: readonly RunningProcess[], promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    const logs = await Promise.all(started.map(({ logFile }) => logTail(logFile)))
    throw new Error([(error as Error).message, ...logs].join('\n'), { cause: error })
  }
}
