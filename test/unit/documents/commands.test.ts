import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../../packaging/root.ts'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { parseConfig } from '../../../src/cli/config.ts'
import { commandsIn, readPage } from '../../support/page-commands.ts'
import { pages } from '../../support/pages.ts'

const texts = pages().map(page => [page, readPage(page)] as const)
const together = texts.map(([, text]) => text).join('\n')

test('every npm command of the project is documented, and every one that is documented exists', () => {
  const { scripts } = JSON.parse(readPage('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
  const named = [...together.matchAll(/npm (?:run )?(start|test|(?<=run )[a-z:]+)(?![a-z:])/g)].map(([, name]) => name as string)
  expect(new Set(named)).toEqual(new Set(Object.keys(scripts)))
})

test('every berth command that a page names exists', () => {
  const named = [...together.matchAll(/`berth ([a-z]+)/g)].map(([, name]) => name as string)
  expect(named).not.toEqual([])
  expect(Object.keys(COMMANDS)).toEqual(expect.arrayContaining(named))
})

/** The arguments of berth in a command line, where it runs berth. */
const argumentsOf = (line: string): readonly string[] | undefined =>
  /^(?:npm start --|.* -- berth|berth) (.*)$/.exec(line)?.[1]?.split(' ') ??
  (line.startsWith('kubectl berth') ? withFleet(line.split(' ').slice(2)) : undefined)

const withFleet = (argv: readonly string[]): readonly string[] =>
  argv[0]?.startsWith('--') === false ? argv : ['fleet', ...argv]

/** A word in capitals stands for what the reader fills in. */
const filledIn = (word: string): string =>
  /^[A-Z]+$/.test(word) ? (word === 'CAPABILITY' ? 'podman' : word.toLowerCase()) : word

test.each(texts)('the command lines of berth on %s have commands, options and operands that exist', (_, text) => {
  for (const line of commandsIn(text)) {
    const argv = argumentsOf(line)
    if (argv !== undefined) expect(() => parseConfig(argv.map(filledIn), {}, {}), line).not.toThrow()
  }
})

/** Pages that measured one commit, and name its files. */
const DATED = ['docs/mutation.md', 'docs/scale.md']

test.each(texts.filter(([page]) => !DATED.includes(page)))('the files that %s names exist', (_, text) => {
  const named = [...text.matchAll(/(?<![\w/.-])(?:src|test|scripts|manifests|docs)\/[\w./-]*\w/g)].map(([path]) => path)
  expect(named.filter(path => !existsSync(join(ROOT, path)) && !path.includes('NAME'))).toEqual([])
})
