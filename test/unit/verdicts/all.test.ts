import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../../packaging/root.ts'
import { ALL_CAPABILITIES, CAPABILITIES } from '../../../src/verdicts/all.ts'

/** The verdicts define capabilities; for the facts Sysbox, Podman and "privileged" are something else. */
const SOURCES = globSync('src/**/*.ts', { cwd: ROOT }).filter(path => !/^src\/(verdicts|facts)\//.test(path))

test('no file outside the verdicts names a capability, so that a new one needs no other file', () => {
  const names = CAPABILITIES.join('|')
  const naming = new RegExp(`'(${names})'|\\b(answers|verdicts)\\.(${names})\\b`)
  const found = SOURCES.flatMap(path => {
    // This one is the fact.
    const text = readFileSync(join(ROOT, path), 'utf8').replaceAll("['facts']['sysbox']", '')
    const [capability] = naming.exec(text) ?? []
    return capability === undefined ? [] : [`${path}: ${capability}`]
  })
  expect(SOURCES.length).toBeGreaterThan(100)
  expect(found).toEqual([])
})

test('every capability says what it is and what its nodes need, each in one line', () => {
  for (const { name, describes, workspace } of ALL_CAPABILITIES) {
    expect([name, ...workspace.nodes, describes].filter(line => !/^\S[^\n]*\S$/.test(line))).toEqual([])
    expect([name, workspace.nodes.length > 0]).toEqual([name, true])
  }
})
