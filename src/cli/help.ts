import { hang } from '../paint.ts'
import { COMMANDS, type CommandName, environmentName, OPTIONS, type Option } from './config.ts'

const NAME_WIDTH = 24

/** The help of the program, or of one command, from the tables in `config.ts`. */
export const help = (about: CommandName | '', columns: number): string =>
  `${(about === '' ? programHelp(columns) : commandHelp(about, columns)).join('\n')}\n`

function programHelp(columns: number): readonly string[] {
  const commands = Object.entries(COMMANDS).flatMap(([name, { operand, does }]) =>
    entry(`${name} ${operand}`.trim(), does, columns)
  )
  return [
    ...hang(
      '',
      0,
      'berth finds out which developer workspaces this machine can host, before one of them fails to start.',
      columns
    ),
    '',
    'Usage: berth [COMMAND] [OPTIONS]           no command means report',
    '       kubectl berth [COMMAND] [OPTIONS]   no command means fleet',
    '',
    'Commands',
    ...commands,
    '',
    'Options',
    ...optionLines(Object.keys(OPTIONS), columns),
    ...entry('--help, -h', 'this text; with a command, its own', columns),
    ...entry('--version', 'the version', columns),
    '',
    ...hang(
      '',
      0,
      'Every option is an environment variable too: --host-root is BERTH_HOST_ROOT. Exit status: 0 done, 1 failed, 2 wrong options.',
      columns
    )
  ]
}

function commandHelp(name: CommandName, columns: number): readonly string[] {
  const { operand, does } = COMMANDS[name]
  const own = Object.entries(OPTIONS).filter(([, { commands }]) => (commands as readonly CommandName[]).includes(name))
  return [
    ...hang('', 0, `berth ${name}: ${does}.`, columns),
    '',
    `Usage: ${`berth ${name} ${operand}`.trim()} [OPTIONS]`,
    '',
    'Options',
    ...optionLines(
      own.map(([option]) => option),
      columns
    )
  ]
}

const optionLines = (names: readonly string[], columns: number): readonly string[] =>
  names.flatMap(name => {
    const { form, fallback, does } = (OPTIONS as Readonly<Record<string, Option<unknown>>>)[name] as Option<unknown>
    const note = form === '' || fallback === '' ? '' : ` (default: ${fallback.replaceAll(',', ', ')})`
    return entry(`--${name} ${form}`.trim(), `${does}${note}; ${environmentName(name)}`, columns)
  })

function entry(name: string, text: string, columns: number): readonly string[] {
  const lines = hang(' '.repeat(NAME_WIDTH + 2), NAME_WIDTH + 2, text, columns)
  if (name.length > NAME_WIDTH - 1) return [`  ${name}`, ...lines]
  const [first = '', ...more] = lines
  return [`  ${name.padEnd(NAME_WIDTH)}${first.slice(NAME_WIDTH + 2)}`, ...more]
}
