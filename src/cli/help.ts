import { paragraph, row } from '../terminal-layout.ts'
import { COMMANDS, type CommandName } from './commands.ts'
import { environmentName } from './environment.ts'
import { OPTION_GROUPS, OPTIONS } from './options/all.ts'
import type { Option, OptionTable } from './options/option.ts'

/** The help of the program: its commands and the common options. Of a command: all its options, by topic. */
export const help = (about: CommandName | '', columns: number): string =>
  `${(about === '' ? programHelp(columns) : commandHelp(about, columns)).join('\n')}\n`

function programHelp(columns: number): readonly string[] {
  const common = Object.entries(OPTIONS as OptionTable).filter(([, option]) => option.common === true)
  return [
    ...paragraph('berth finds out which developer workspaces this machine can host, before one of them fails to start.', columns),
    '',
    'Usage: berth [COMMAND] [OPTIONS]           no command means report',
    '       kubectl berth [COMMAND] [OPTIONS]   no command means fleet',
    '',
    'Commands',
    ...Object.entries(COMMANDS).flatMap(([name, { operand, does }]) => entry(`${name} ${operand}`.trim(), does, columns)),
    '',
    'Common options',
    ...common.flatMap(([name, option]) => entry(written(name, option), description(option), columns)),
    ...entry('--help, -h', 'print this text, or the help of a command', columns),
    ...entry('--version', 'print the version', columns),
    '',
    ...paragraph('Run berth COMMAND --help to see all options of a command.', columns),
    ...paragraph('Every option can also be set as an environment variable: --host-root as BERTH_HOST_ROOT.', columns),
    ...paragraph('Exit status: 0 done, 1 failed, 2 wrong options.', columns)
  ]
}

function commandHelp(name: CommandName, columns: number): readonly string[] {
  const { operand, does } = COMMANDS[name]
  const sections = OPTION_GROUPS.map(({ title, options }) => {
    const own = Object.entries(options).filter(([, { commands }]) => commands.includes(name))
    const lines = own.flatMap(([option, definition]) =>
      entry(written(option, definition), `${description(definition)}; ${environmentName(option)}`, columns)
    )
    return lines.length === 0 ? [] : ['', title, ...lines]
  })
  return [
    ...paragraph(`berth ${name}: ${does}.`, columns),
    '',
    `Usage: ${`berth ${name} ${operand}`.trim()} [OPTIONS]`,
    ...sections.flat()
  ]
}

const written = (name: string, { form }: Option<unknown>): string => `--${name} ${form}`.trim()

const description = ({ form, fallback, does }: Option<unknown>): string =>
  form === '' || fallback === '' ? does : `${does} (default: ${fallback.replaceAll(',', ', ')})`

const NAME_WIDTH = 24

const entry = (name: string, text: string, columns: number): readonly string[] =>
  row({ cells: [{ text: '  ' }, { text: name, width: NAME_WIDTH }], text, columns })
