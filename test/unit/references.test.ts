import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'

const FILES = globSync('{src,test,scripts,packaging,manifests}/**/*.{ts,mjs,sh,yaml,tf}', { cwd: ROOT }).filter(path =>
  statSync(join(ROOT, path)).isFile()
)

/** A document by its small-letter name, with the repository that it lies in where it is said (`owner/name path`), or as a URL. */
const DOCUMENT = /(?:https:\/\/[\w./-]+\/|[\w-]+\/[\w.-]+ (?:[\w.-]+\/)*|(?:[\w.-]+\/)+)?\b[a-z0-9][a-z0-9.-]*\.md\b/g

const KNOWN: ReadonlySet<string> = new Set(globSync('{*.md,docs/**/*.md}', { cwd: ROOT }).map(path => basename(path)))

/** Documents that no reader of a text can find: neither here, nor in a repository that is named. */
const lost = (text: string): readonly string[] =>
  (text.match(DOCUMENT) ?? []).filter(found => {
    if (found.startsWith('https://') || /^[\w-]+\/[\w.-]+ /.test(found)) return false
    return !(found.includes('/') ? existsSync(join(ROOT, found)) : KNOWN.has(found))
  })

/** They hold up links that lead nowhere. */
const TELL_OF_NONE = ['test/unit/references.test.ts', 'test/unit/documents/links.test.ts']

test('every document that a source, a test or a manifest refers to can be found', () => {
  expect(FILES.length).toBeGreaterThan(500)
  const named = FILES.filter(path => !TELL_OF_NONE.includes(path)).flatMap(path =>
    lost(readFileSync(join(ROOT, path), 'utf8')).map(document => `${path}: ${document}`)
  )
  expect(named).toEqual([])
})

test.each([
  ['as sysbox-measured.md 1 (4) has it', ['sysbox-measured.md']],
  ['docs/no-such-page.md', ['docs/no-such-page.md']],
  ['nestybox/sysbox docs/distro-compat.md v0.7.0; README.md', []],
  ['https://github.com/owner/name/blob/master/docs/install.md', []]
])('%j', (text, documents) => {
  expect(lost(text)).toEqual(documents)
})
