import process from 'node:process'
import { type Command, CommandError } from './cli/command.ts'
import type { CommandName } from './cli/commands.ts'
import { readConfig } from './cli/config.ts'
import { UsageError } from './cli/usage-error.ts'
import { READER, serveReader } from './host/reader-process.ts'
import { printableLines } from './printable.ts'

/** Imports a command only when it is called: loading code is most of the time and memory of a short command. */
const LOADERS: Readonly<Record<CommandName, () => Promise<Command>>> = {
  report: async () => (await import('./commands/report.ts')).report,
  explain: async () => (await import('./commands/explain.ts')).explain,
  record: async () => (await import('./commands/record.ts')).record,
  template: async () => (await import('./commands/template.ts')).template,
  run: async () => (await import('./commands/run.ts')).run,
  helper: async () => (await import('./commands/helper.ts')).helper,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  fleet: async () => (await import('./commands/fleet.ts')).fleet,
  uninstall: async () => (await import('./commands/uninstall.ts')).uninstall
}

/** Resolves when the text is written. Failed writes are handled by the `error` listener below. */
const print = (text: string): Promise<void> => new Promise(done => process.stdout.write(text, () => done()))

const clock = { elapsed: () => performance.now(), now: () => new Date() }

async function main(): Promise<number> {
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
  const run = await LOADERS[command]()
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

// A closed pipe (berth report | head) is not an error of berth.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

if (process.argv[2] === READER && process.send !== undefined) {
  serveReader(process.argv[3] ?? '/', () => process.exit())
  await new Promise(() => undefined)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.exitCode = fail(error)
}

// A server that hangs keeps its connection open, and with it this process. The callback runs when all earlier output is written.
process.stdout.write('', () => process.exit())
