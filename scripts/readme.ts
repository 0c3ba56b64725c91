import { readFile, writeFile } from 'node:fs/promises'
import { withTables } from './readme-tables.ts'
import { ROOT } from './steps.ts'

const path = `${ROOT}/README.md`
await writeFile(path, withTables(await readFile(path, 'utf8')))
