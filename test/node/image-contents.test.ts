import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundledPackages } from '../../packaging/bundled-packages.ts'
import { ROOT } from '../../packaging/root.ts'
import type { Target } from './images.ts'
import { unpack } from './unpacked.ts'

let roots: Readonly<Record<Target, string>>
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-contents-'))
  roots = { agent: (await unpack('agent', folder)).root, helper: (await unpack('helper', folder)).root }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const text = (target: Target, path: string) => readFile(join(roots[target], path), 'utf8')

interface Component {
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly cpe?: string
}

/** `name@version` of the components of a kind that the image's own list has. */
async function listed(target: Target, kind: 'npm' | 'deb'): Promise<readonly string[]> {
  const { components } = JSON.parse(await text(target, 'usr/local/lib/berth/sbom.cdx.json')) as {
    readonly components: readonly Component[]
  }
  const those = components.filter(({ purl }) => purl.startsWith(`pkg:${kind}/`))
  return those.map(({ name, version }) => `${name}@${version}`).toSorted()
}

/** What the image itself says of its Debian packages: by its own dpkg, or by the files that stand for one. */
async function installed(target: Target): Promise<readonly string[]> {
  if (target === 'helper') {
    const { stdout } = await execa('chroot', [roots.helper, 'dpkg-query', '-W', '-f', `\${Package}@\${Version}\n`])
    return stdout.split('\n').toSorted()
  }
  const names = await readdir(join(roots.agent, 'var/lib/dpkg/status.d'))
  const statuses = await Promise.all(names.map(name => text('agent', `var/lib/dpkg/status.d/${name}`)))
  const field = (status: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(status)?.[1]
  return statuses.map(status => `${field(status, 'Package')}@${field(status, 'Version')}`).toSorted()
}

describe.each(['agent', 'helper'] as const)('the image of the %s', target => {
  test('lists what is in it: the packages of the bundle, its Node, and every Debian package', async () => {
    const { stdout: node } = await execa('chroot', [roots[target], '/usr/local/bin/node', '--version'])
    const packages = [...(await bundledPackages()), `node-linux-${process.arch}@${node.slice(1)}`]
    expect(packages).toContainEqual(expect.stringMatching(/^undici@/))
    expect(await listed(target, 'npm')).toEqual(packages.toSorted())
    const debian = await listed(target, 'deb')
    expect(debian).toEqual(await installed(target))
    expect(debian).toContainEqual(expect.stringMatching(/^libc6@2\.\d/))
    expect(debian.length).toBeGreaterThan(target === 'agent' ? 3 : 60)
    expect(debian).not.toContainEqual(expect.stringMatching(/^(apt|libapt-pkg.*)@/))
  })

  test('tells a scanner which release of Debian it is made of', async () => {
    expect(await text(target, 'usr/lib/os-release')).toMatch(/^VERSION_ID="13"$/m)
    expect(await text(target, 'etc/debian_version')).toMatch(/^13\./)
  })

  test('brings the notices of every package of the bundle, of Node and of glibc, with the text of the LGPL', async () => {
    const notices = await text(target, 'usr/local/lib/berth/THIRD-PARTY-NOTICES.txt')
    const titles = [...notices.matchAll(/^=+\n(\S+) (\S+) \(.*\n=+$/gm)].map(([, name, version]) => `${name}@${version}`)
    expect(titles).toEqual(expect.arrayContaining([...(await listed(target, 'npm')), ...(await listed('agent', 'deb'))]))
    expect(notices).toContain('Copyright Node.js contributors. All rights reserved.')
    expect(notices).toContain('The GNU C Library is free software')
    expect(notices).toMatch(/GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1, February 1999/)
  })

  test('has the copyright file of each of its Debian packages', async () => {
    const names = (await installed(target)).map(each => each.slice(0, each.indexOf('@')))
    for (const name of names) {
      const { stdout } = await execa('chroot', [roots.helper, 'readlink', '-f', `/usr/share/doc/${name}/copyright`])
      expect(await text(target, target === 'helper' ? stdout : `usr/share/doc/${name}/copyright`), name).toMatch(/copyright/i)
    }
  })

  test('has the Node that is recorded as the one of nodejs.org', async () => {
    const recorded = await readFile(join(ROOT, 'scripts/node.sha256'), 'utf8')
    const found = createHash('sha256').update(await readFile(join(roots[target], 'usr/local/bin/node')))
    expect(recorded).toContain(`${found.digest('hex')}  node_modules/node-linux-${process.arch}/bin/node`)
  })
})

test('every file of Debian in the image of the agent belongs to a package that it lists', async () => {
  const { stdout } = await execa('find', [roots.agent, '-type', 'f', '-name', '*.so*', '-printf', '%f\n'])
  const libraries = stdout.split('\n')
  expect(libraries).toEqual(expect.arrayContaining(['libc.so.6', 'libstdc++.so.6', 'libgcc_s.so.1']))
  const names = (await installed('agent')).map(each => each.slice(0, each.indexOf('@')))
  expect(names.toSorted()).toEqual(['base-files', 'libc6', 'libgcc-s1', 'libstdc++6'])
})
