import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { README_TABLES, withTables } from '../../scripts/readme-tables.ts'
import { COMMANDS } from '../../src/cli/commands.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>
}

test('the tables of the README are those of the code (npm run golden writes them)', () => {
  expect(withTables(readme)).toBe(readme)
})

test.each(Object.keys(README_TABLES))('the README has a place for the %s', name => {
  expect(readme).toMatch(new RegExp(`<!-- ${name} -->\n[\\s\\S]+?\n<!-- end -->`))
})

test('every npm command that the README names is there', () => {
  const named = [...readme.matchAll(/npm (?:run )?(start|test|(?<=run )[a-z:]+)(?![a-z:])/g)].map(([, name]) => name as string)
  expect(new Set(named)).toEqual(new Set([...Object.keys(manifest.scripts)]))
})

test('every berth command that the README names is there', () => {
  const named = [...readme.matchAll(/`berth ([a-z]+)/g)].map(([, name]) => name as string)
  expect(named).not.toEqual([])
  expect(Object.keys(COMMANDS)).toEqual(expect.arrayContaining(named))
})
