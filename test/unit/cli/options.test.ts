import { expect, test } from 'vitest'
import { COMMAND_NAMES } from '../../../src/cli/commands.ts'
import { OPTION_GROUPS, OPTIONS } from '../../../src/cli/options/all.ts'
import type { OptionTable } from '../../../src/cli/options/option.ts'

const TABLE: OptionTable = OPTIONS

test.each(Object.entries(TABLE))('the default of --%s is one that its own parser accepts', (_, { parse, fallback }) => {
  expect(() => parse(fallback)).not.toThrow()
})

test.each(Object.entries(TABLE))('--%s belongs to a command that exists', (_, { commands }) => {
  expect(commands.length).toBeGreaterThan(0)
  expect(commands.filter(command => !COMMAND_NAMES.includes(command))).toEqual([])
})

test('each option is in one topic, and each topic is shown in the help', () => {
  const grouped = OPTION_GROUPS.flatMap(({ options }) => Object.keys(options))
  expect(grouped.toSorted()).toEqual(Object.keys(TABLE).toSorted())
})
