import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withTables } from '../test/support/document-tables.ts'
import { pages } from '../test/support/pages.ts'
import { ROOT } from './steps.ts'

/** Writes the generated tables of every page anew. */
for (const page of pages()) {
  const text = await readFile(join(ROOT, page), 'utf8')
  const current = withTables(text)
  if (current !== text) await writeFile(join(ROOT, page), current)
}
