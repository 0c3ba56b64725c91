import { expect, test } from 'vitest'
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
