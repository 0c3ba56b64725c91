import { expect, test } from 'vitest'
import { commandsIn, readPage, sectionOf } from '../../support/page-commands.ts'

test('the README has at most 8,500 bytes', () => {
  expect(Buffer.byteLength(readPage('README.md'))).toBeLessThanOrEqual(8_500)
})

test('the install commands of the README are among those that the tests run on a real node', () => {
  const commands = commandsIn(sectionOf('README.md', 'Install'))
  expect(commands).toHaveLength(3)
  expect(commandsIn(sectionOf('docs/install.md', 'Install'))).toEqual(expect.arrayContaining([...commands]))
})
