import process from 'node:process'
import { type Command, CommandError } from './cli/command.ts'
import type { CommandName } from './cli/commands.ts'
import { readConfig } from './cli/config.ts'
import { UsageError } from './cli/usage-error.ts'
import { printableLines } from './printable.ts'

/** Imports a command only when it is called: loading code is most of the time and memory of a short command. */
export type Loaders = Readonly<Partial<Record<CommandName, () => Promise<Command>>>>

/** Resolves when the text is written. Failed writes are handled by the `error` listener below. */
const print = (text: string): Promise<void> => new Promise(done => process.stdout.write(text, () => done()))

const clock = { elapsed: () => performance.now(), now: () => new Date() }

async function main(loaders: Loaders): Promise<number> {
  const config = readConfig()
  const { command, about, screen } = config
  if (command === 'help') {
    print((await import('./cli/help.ts')).help(about, screen.columns))
    return 0
  }
  if (command === 'version') {
    print(`berth ${(await import('./version.ts')).VERSION}\n`)
    return 0
  }
  const load = loaders[command]
  if (load === undefined) throw new CommandError(`this program has no command ${command}: use berth.mjs`, { status: 2 })
  const run = await load()
  return await run(config, { print, clock, program: process.argv[1] ?? '' })
}

/** Prints why the command ended, and returns the exit status. */
function fail(error: unknown): number {
  if (error instanceof UsageError) {
    const problems = error.problems.map(problem => `berth: ${printableLines(problem)}\n`).join('')
    process.stderr.write(`${problems}See ${['berth', error.command ?? [], '--help'].flat().join(' ')}.\n`)
    return 2
  }
  if (error instanceof CommandError) {
    process.stderr.write(`berth: ${printableLines(error.message)}\n`)
    return error.status
  }
  const details = printableLines(String((error as Error).stack ?? error))
  process.stderr.write(`berth: this is a bug in berth. Please report it with the following lines.\n${details}\n`)
  return 1
}

/** Runs the command that the arguments name, and ends the process with its exit status. */
export async function runProgram(loaders: Loaders): Promise<void> {
  // A closed pipe (berth report | head) is not an error of berth.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    process.exitCode = await main(loaders)
  } catch (error) {
    process.exitCode = fail(error)
  }
  // A server that hangs keeps its connection open, and with it this process. The callback runs when all earlier output is written.
  process.stdout.write('', () => process.exit())
}
