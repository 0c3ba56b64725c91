import process from 'node:process'
import { type Command, CommandError } from './cli/command.ts'
import { type CommandName, readConfig, UsageError } from './cli/config.ts'
import { READER, serveReader } from './host/reader-process.ts'
import { printableLines } from './printable.ts'

/** Each command is imported when it is called: what is imported is what costs. */
const COMMANDS: Readonly<Record<CommandName, () => Promise<Command>>> = {
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

/** Resolves when it is out; one that fails is heard of below. */
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
  const run = await COMMANDS[command]()
  return await run(config, { print, clock, program: process.argv[1] ?? '' })
}

// A reader that went away (berth report | head) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

if (process.argv[2] === READER && process.send !== undefined) {
  serveReader(process.argv[3] ?? '/', () => process.exit())
  await new Promise(() => undefined)
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.problems.map(problem => `berth: ${printableLines(problem)}`).join('\n')}\nSee berth --help.\n`)
    process.exitCode = 2
  } else if (error instanceof CommandError) {
    process.stderr.write(`berth: ${printableLines(error.message)}\n`)
    process.exitCode = error.status
  } else {
    process.stderr.write(
      `berth: this is a bug in berth; please report it with what follows.\n${printableLines(String((error as Error).stack ?? error))}\n`
    )
    process.exitCode = 1
  }
}

// A server that hangs keeps its connection open, and would keep us. What was printed is out when the empty piece after it is.
process.stdout.write('', () => process.exit())
