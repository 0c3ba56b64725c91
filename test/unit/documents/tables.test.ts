import { expect, test } from 'vitest'
import { ALL_FACTS } from '../../../src/facts/all.ts'
import { FACT_LABELS } from '../../../src/node-sync/labels.ts'
import { CAPABILITIES } from '../../../src/verdicts/all.ts'
import { TABLES, withTables } from '../../support/document-tables.ts'
import { readPage } from '../../support/page-commands.ts'
import { pages } from '../../support/pages.ts'

test.each(pages())('the generated parts of %s are those of the code (npm run golden writes them)', page => {
  const text = readPage(page)
  expect(withTables(text)).toBe(text)
})

test.each(Object.keys(TABLES))('one page has a place for the generated part "%s"', name => {
  const places = pages().filter(page => readPage(page).includes(`<!-- ${name} -->\n`))
  expect(places).toHaveLength(1)
})

test('the table of labels says of each label what it shows, and of no two the same', () => {
  const shows = TABLES.labels()
    .split('\n')
    .slice(2)
    .map(row => row.split(' | ').at(-1))
  expect(new Set(shows).size).toBe(CAPABILITIES.length + FACT_LABELS.length)
  for (const { describes } of ALL_FACTS) expect(shows).not.toContain(`${describes} |`)
})
