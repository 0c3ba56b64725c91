import { COMMAND_NAMES, COMMANDS, type CommandName } from './commands.ts'
import { OPTIONS, type Options } from './options/all.ts'
import type { OptionTable } from './options/option.ts'
import { alternatives } from './options/parsers.ts'
import type { Arguments } from './parse.ts'
import { suggest } from './suggest.ts'

/** Checks of combinations whose parts are valid. Each returns one sentence for each problem. */

export function unknownCommand(name: string): string {
  const meant = suggest(name, COMMAND_NAMES)
  return `unknown command "${name}": ${meant === undefined ? `expected ${alternatives(COMMAND_NAMES)}` : `did you mean ${meant}?`}`
}

export function operandProblems(
  command: CommandName,
  { words: [, operand, ...more], hasUnclearWord }: Pick<Arguments, 'words' | 'hasUnclearWord'>
): readonly string[] {
  const wanted = COMMANDS[command].operand
  const unexpected = (text: string, takes: string) => `unexpected argument "${text}": ${command} takes ${takes}`
  if (wanted === '') return [operand, ...more].filter(text => text).map(text => unexpected(text as string, 'none'))
  if (!operand) return hasUnclearWord ? [] : [`${command} needs a ${wanted}: berth ${command} ${wanted}`]
  return more.map(text => unexpected(text, `one ${wanted}`))
}

export const misplacedOptions = (command: CommandName, given: Arguments['values']): readonly string[] =>
  [...given.keys()].flatMap(name => {
    const commands = (OPTIONS as OptionTable)[name]?.commands
    if (commands === undefined || commands.includes(command)) return []
    return [`--${name} is not an option of ${command}: use it with ${alternatives(commands)}`]
  })

/** NODE_NAME is set in every pod of ours, so only the argument contradicts --all-nodes. */
export const contradictions = (given: Arguments['values'], options: Options): readonly string[] =>
  options['all-nodes'] && given.has('node-name') ? [notTogether('--all-nodes', '--node-name')] : []

export function wrongCombinations(command: CommandName, options: Options): readonly string[] {
  if (command === 'fleet') return wrongFleetCombinations(options)
  const prints = (OPTIONS.format.commands as readonly CommandName[]).includes(command)
  return prints && isFleetFormat(options) ? [`--format is "${options.format}": ${command} prints table or json only`] : []
}

function wrongFleetCombinations(options: Options): readonly string[] {
  const { format, autoscaler, watch, capability, why } = options
  return [
    ...(autoscaler && isFleetFormat(options) ? [`--format is "${format}": --autoscaler prints table or json only`] : []),
    ...(autoscaler && capability !== '' ? [notTogether('--autoscaler', '--capability')] : []),
    ...(autoscaler && why ? [notTogether('--autoscaler', '--why')] : []),
    ...(watch && autoscaler ? [notTogether('--watch', '--autoscaler')] : []),
    ...(watch && why ? [notTogether('--watch', '--why')] : []),
    ...(watch && (format === 'json' || isFleetFormat(options)) ? [`--format is "${format}": --watch prints a table only`] : [])
  ]
}

/** Only `fleet` has these formats. */
const isFleetFormat = ({ format }: Options): boolean => format === 'csv' || format === 'html'

const notTogether = (one: string, other: string): string => `${one} and ${other} cannot be used together: remove one of them`
