import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { documents } from '../../scale/document.ts'
import { recorded } from '../../scale/recorded.ts'

const DOCS = join(import.meta.dirname, '../../../docs')

test('the documents tell what was recorded (npm run scale writes them)', () => {
  for (const [name, text] of Object.entries(documents(recorded())))
    expect(text, name).toBe(readFileSync(join(DOCS, name), 'utf8'))
})
