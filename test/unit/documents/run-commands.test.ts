import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../../../packaging/root.ts'
import { commandsIn, readPage } from '../../support/page-commands.ts'
import { pages } from '../../support/pages.ts'

/** Commands that need nothing but this machine; those that reach a cluster run in other tests. */
const LOCAL = /^npm start(?:$| -- (?:report|explain|record|template)\b)/

const documented = [...new Set(pages().flatMap(page => commandsIn(readPage(page))))].filter(line => LOCAL.test(line))
// A recording is read by the command after it.
const records = documented.filter(line => line.includes(' record '))
const others = documented.filter(line => !records.includes(line))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-pages-'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = async (line: string): Promise<string> => {
  const argv = line.split(' ').slice(3)
  const { stdout } = await execa(process.execPath, [join(ROOT, 'src/main.ts'), ...argv], { cwd: folder })
  return stdout
}

test('the commands that the pages show and that need no cluster do their work', async () => {
  expect(documented).toContain('npm start -- template podman --as nodepool')
  for (const line of records) expect(await run(line)).toContain('questions and answers')
  const outputs = await Promise.all(others.map(run))
  outputs.forEach((output, index) => {
    expect(output.length, others[index]).toBeGreaterThan(200)
  })
})
