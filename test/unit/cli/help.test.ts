import { describe, expect, test } from 'vitest'
import { COMMAND_NAMES, COMMANDS, type CommandName } from '../../../src/cli/commands.ts'
import { environmentName } from '../../../src/cli/environment.ts'
import { help } from '../../../src/cli/help.ts'
import { OPTION_GROUPS, OPTIONS, type OptionName } from '../../../src/cli/options/all.ts'
import type { Option } from '../../../src/cli/options/option.ts'

const NAMES = Object.keys(OPTIONS) as OptionName[]
const OPTION_TABLE = OPTIONS as Readonly<Record<OptionName, Option<unknown>>>

const wide = (about: CommandName | '') => help(about, 200)
const plain = (text: string) => text.replaceAll(/\s+/g, ' ')
const listed = (text: string) => [...text.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name]) => name)
const optionsOf = (command: CommandName) => NAMES.filter(name => OPTION_TABLE[name].commands.includes(command))

describe('berth --help', () => {
  test.each(COMMAND_NAMES)('lists %s, its operand and what it does', name => {
    const { operand, does } = COMMANDS[name]
    expect(plain(wide(''))).toContain(plain(`${name} ${operand}`.trim()))
    expect(plain(wide(''))).toContain(plain(does))
  })

  test('lists the common options and no other', () => {
    expect(listed(wide(''))).toEqual(['format', 'host-root', 'kubeconfig', 'node-name', 'label-prefix', 'help', 'version'])
  })

  test('says where the other options are', () => {
    expect(wide('')).toContain('berth COMMAND --help')
  })
})

describe('berth COMMAND --help', () => {
  test.each(COMMAND_NAMES)('of %s lists its options and no other', command => {
    expect(listed(wide(command)).toSorted()).toEqual(optionsOf(command).toSorted())
  })

  test.each(NAMES)('says of --%s its form, default, variable and what it does', name => {
    const { form, fallback, does, commands } = OPTION_TABLE[name]
    for (const command of commands) {
      const text = plain(wide(command))
      expect(text).toContain(plain(`--${name} ${form}`.trim()))
      expect(text).toContain(plain(does))
      expect(text).toContain(environmentName(name))
      if (form !== '' && fallback !== '') expect(text).toContain(`(default: ${fallback.replaceAll(',', ', ')})`)
    }
  })

  test.each(COMMAND_NAMES)('of %s begins with what it does, and says how to call it', name => {
    expect(plain(wide(name))).toContain(`berth ${name}: ${plain(COMMANDS[name].does)}.`)
    expect(wide(name)).toContain(`Usage: berth ${name}`)
  })

  test.each(COMMAND_NAMES)('of %s has a heading for each topic that it has options of, and for no other', command => {
    const headings = OPTION_GROUPS.filter(({ options }) => optionsOf(command).some(name => name in options))
    const [, ...sections] = wide(command).trimEnd().split('\n\n')
    // The usage is the first section.
    expect(sections.slice(1).map(section => section.split('\n')[0])).toEqual(headings.map(({ title }) => title))
  })
})

test.each(['' as const, ...COMMAND_NAMES].flatMap(about => [80, 120, 200].map(columns => [about, columns] as const)))(
  'the help of %j is no wider than %i columns, and ends with a line',
  (about, columns) => {
    const text = help(about, columns)
    expect(text.split('\n').filter(line => line.length > columns)).toEqual([])
    expect(text).toMatch(/\S\n$/)
  }
)
