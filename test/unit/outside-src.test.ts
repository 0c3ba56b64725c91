import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'
import { type Source, source } from './source-code.ts'

const SOURCES: ReadonlyMap<string, Source> = new Map(
  globSync('{src,test,scripts,packaging}/**/*.{ts,mjs}', { cwd: ROOT, exclude: ['**/*.d.ts', '**/dist/**'] }).map(path => [
    path,
    source(path, readFileSync(join(ROOT, path), 'utf8'))
  ])
)

/** Files of ours that a file imports, by their path in the repository. */
const importsOf = ({ path, imports }: Source): readonly string[] =>
  imports.filter(name => name.startsWith('.')).map(name => normalize(join(dirname(path), name)))

/** What may be imported from a folder; what is tests' and scripts' own lies in test/support. */
const MAY_IMPORT = {
  src: ['src/', 'package.json'],
  // The image is built without the tests.
  packaging: ['packaging/', 'src/'],
  test: ['test/', 'packaging/', 'src/'],
  // test/scale and test/nodes are driven by `npm run scale` and `npm run golden`.
  scripts: ['scripts/', 'packaging/', 'src/', 'test/support/', 'test/scale/', 'test/nodes/']
} as const

/** What is imported all the same, by whom, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'scripts/chaos.ts → test/cluster/chaos/run.ts': 'it is the same chaos as that of the test, for longer',
  'scripts/picture.ts → test/agent/browser.ts': 'it takes the picture with the browser of the tests',
  'scripts/bench-helper.ts → test/machine/image.ts': 'it measures in the virtual machine of the tests',
  'scripts/bench-helper.ts → test/machine/stand-in.ts': 'it measures with the modules of the tests'
}

const breaches = (sources: Iterable<Source>): readonly string[] =>
  [...sources].flatMap(file => {
    const allowed = MAY_IMPORT[file.path.split('/')[0] as keyof typeof MAY_IMPORT]
    return importsOf(file)
      .filter(target => !allowed.some(start => target.startsWith(start)))
      .map(target => `${file.path} → ${target}`)
  })

/** The file and all that is loaded with it. */
function reached(path: string, found = new Set<string>()): ReadonlySet<string> {
  const file = SOURCES.get(path)
  if (found.has(path) || file === undefined) return found
  found.add(path)
  for (const target of importsOf(file)) reached(target, found)
  return found
}

describe('the folders beside src', () => {
  test('nothing imports a script, and scripts import of the tests only what they share or drive', () => {
    for (const folder of Object.keys(MAY_IMPORT))
      expect([...SOURCES.keys()].some(path => path.startsWith(`${folder}/`))).toBe(true)
    expect(breaches(SOURCES.values()).filter(breach => !Object.hasOwn(EXCEPTIONS, breach))).toEqual([])
  })

  test('every exception is still needed', () => {
    const found = breaches(SOURCES.values())
    expect(Object.keys(EXCEPTIONS).filter(exception => !found.includes(exception))).toEqual([])
  })

  test('what builds the image is in the image’s build: the Dockerfile copies all that it loads', () => {
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    const copied = [...dockerfile.matchAll(/^COPY (?:\S+ )*?(\S+) \1$/gm)].map(([, folder]) => `${folder}/`)
    expect(copied).toContain('scripts/')
    for (const script of ['scripts/build.ts', 'scripts/image-notices.ts', 'scripts/sbom.ts']) {
      const loaded = [...reached(script)]
      expect(loaded.length, script).toBeGreaterThan(3)
      expect(loaded.filter(path => !copied.some(folder => path.startsWith(folder)))).toEqual([])
    }
  })

  test('a breach is seen, and named', () => {
    const bad = (path: string, text: string) => breaches([source(path, text)])
    expect(bad('test/unit/x.test.ts', "import { ROOT } from '../../scripts/steps.ts'")).toEqual([
      'test/unit/x.test.ts → scripts/steps.ts'
    ])
    expect(bad('src/cycle/x.ts', "await import('../../test/support/cache.ts')")).toHaveLength(1)
    expect(bad('packaging/x.ts', "import type { A } from '../test/support/a.ts'")).toHaveLength(1)
    expect(bad('scripts/x.ts', "import { a } from '../test/cluster/a.ts'")).toHaveLength(1)
    expect(bad('scripts/x.ts', "import { a } from '../test/support/a.ts'\nimport { b } from './b.ts'")).toEqual([])
  })
})
