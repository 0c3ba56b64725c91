import { access, copyFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'

// A checkout as small as can be, whose packages lie in folders beside it: npm installs them without a network.
const NODE = `node-linux-${process.arch}`
let checkout: string

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'berth-start-'))
  for (const folder of ['scripts', 'src', `packages/${NODE}/bin`]) await mkdir(join(checkout, folder), { recursive: true })
  await copyFile(join(ROOT, 'scripts/with-node24.mjs'), join(checkout, 'scripts/with-node24.mjs'))
  await writeFile(join(checkout, 'src/main.ts'), "console.log('berth' satisfies string)")
  await writeFile(join(checkout, 'scripts/test.ts'), "console.log('test' satisfies string)")
  await symlink(process.execPath, join(checkout, `packages/${NODE}/bin/node`))
  await manifest(`packages/${NODE}`, {})
  await manifest('packages/library', { scripts: { install: 'touch ran' } })
  await manifest('packages/tool', { scripts: { install: 'touch ran' } })
  await manifest('.', {
    dependencies: { library: 'file:packages/library' },
    optionalDependencies: { [NODE]: `file:packages/${NODE}` },
    devDependencies: { tool: 'file:packages/tool' }
  })
  await execa('npm', ['install', '--package-lock-only', '--offline'], { cwd: checkout })
})
afterEach(() => rm(checkout, { recursive: true, force: true }))

const manifest = async (folder: string, fields: object): Promise<void> => {
  await mkdir(join(checkout, folder), { recursive: true })
  const name = folder === '.' ? 'checkout' : folder.slice('packages/'.length)
  await writeFile(join(checkout, folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...fields }))
}

const run = async (file: string): Promise<{ readonly printed: string; readonly installed: boolean }> => {
  const { stdout, stderr } = await execa(process.execPath, ['scripts/with-node24.mjs', file], { cwd: checkout })
  return { printed: stdout, installed: stderr.includes('Installing') }
}
const has = (path: string) =>
  access(join(checkout, path)).then(
    () => true,
    () => false
  )

test('npm start installs what berth runs with and no tool, once, and no script of a package runs', async () => {
  expect(await run('src/main.ts')).toEqual({ printed: 'berth', installed: true })
  expect(await has('node_modules/library')).toBe(true)
  expect(await has('node_modules/tool')).toBe(false)
  expect(await has('packages/library/ran')).toBe(false)
  expect(await run('src/main.ts')).toEqual({ printed: 'berth', installed: false })
})

test('npm test installs the tools that npm start left out, and npm start keeps them when it installs anew', async () => {
  await run('src/main.ts')
  expect(await run('scripts/test.ts')).toEqual({ printed: 'test', installed: true })
  expect(await has('node_modules/tool')).toBe(true)
  expect(await has('packages/tool/ran')).toBe(false)
  expect(await run('scripts/test.ts')).toEqual({ printed: 'test', installed: false })
  const later = new Date(Date.now() + 60_000)
  await utimes(join(checkout, 'package-lock.json'), later, later)
  expect(await run('src/main.ts')).toEqual({ printed: 'berth', installed: true })
  expect(await has('node_modules/tool')).toBe(true)
})

test('npm test installs the tools where npm is told to leave them out', async () => {
  const { stdout } = await execa(process.execPath, ['scripts/with-node24.mjs', 'scripts/test.ts'], {
    cwd: checkout,
    env: { NODE_ENV: 'production' }
  })
  expect(stdout).toBe('test')
  expect(await has('node_modules/tool')).toBe(true)
})
