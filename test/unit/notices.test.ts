import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { bundledPackages, packageIn } from '../../packaging/bundled-packages.ts'
import { packageNotices } from '../../packaging/notices.ts'
import { ROOT } from '../../packaging/root.ts'
import { buildBundle } from '../support/bundle.ts'

test('every package whose code is in the bundle has its licence text in the notices', async () => {
  await buildBundle()
  const notices = await readFile(join(ROOT, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8')
  const packages = await bundledPackages()
  expect(packages.length).toBeGreaterThan(40)
  const sections = new Map(
    notices.split(/^={80}\n(?=.*\n={80}\n)/m).map(section => {
      const [title = '', , ...lines] = section.split('\n')
      return [title.replace(/ \(.*/, '').replace(' ', '@'), lines.join('\n')]
    })
  )
  for (const name of packages) expect(sections.get(name), name).toMatch(/permission|licensed|redistribut/i)
  // undici holds code of it, and says so in a comment alone.
  expect(notices).toContain('formdata-polyfill. MIT License.')
})

test('a package without a licence text stops the build, by its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-notices-'))
  try {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'bare', version: '1.2.3', license: 'MIT' }))
    const bare = await packageIn(folder)
    await expect(packageNotices([bare])).rejects.toThrow('bare@1.2.3 (MIT) brings no licence text')
    await writeFile(join(folder, 'LICENCE.md'), 'Permission is hereby granted')
    expect(await packageNotices([bare])).toContain('bare 1.2.3 (MIT)\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('the Node that npm brings is the one of nodejs.org whose checksum is recorded, of the version in package-lock.json', async () => {
  const recorded = await readFile(join(ROOT, 'scripts/node.sha256'), 'utf8')
  const path = `node_modules/node-linux-${process.arch}/bin/node`
  const found = createHash('sha256').update(await readFile(join(ROOT, path)))
  expect(recorded).toContain(`${found.digest('hex')}  ${path}\n`)
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>
  }
  for (const architecture of ['x64', 'arm64']) {
    const version = packages[`node_modules/node-linux-${architecture}`]?.version
    expect(recorded).toContain(`  node-v${version}-linux-${architecture}.tar.xz\n`)
  }
})

test('the base images are named by their digests', async () => {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8')
  const defaults = new Map([...dockerfile.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]))
  const stages = new Set(['scratch', ...[...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name)])
  const bases = [...dockerfile.matchAll(/^FROM (?:\$\{(\w+)\}|(\S+))/gm)]
    .map(([, argument, name]) => argument ?? name)
    .filter(name => !stages.has(name))
  expect(bases).toEqual(['NODE', 'BASE'])
  for (const base of bases) expect(defaults.get(base)).toMatch(/^docker\.io\/library\/\S+:\S+@sha256:[0-9a-f]{64}$/)
})
