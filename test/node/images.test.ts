import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'
import { buildAnew, type Target } from './images.ts'
import { type ImageConfig, unpack } from './unpacked.ts'

/** The file systems of the images, unpacked. */
let roots: Readonly<Record<Target, string>>
let folder: string
let configs: Readonly<Record<Target, ImageConfig>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-unpacked-'))
  const [agent, helper] = [await unpack('agent', folder), await unpack('helper', folder)]
  roots = { agent: agent.root, helper: helper.root }
  configs = { agent: agent.config, helper: helper.config }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs a program of an image on its files, as its user. */
const within = (target: Target, ...command: readonly string[]) =>
  execa('chroot', [`--userspec=${configs[target].User || '0:0'}`, roots[target], ...command], {
    env: {
      NODE_COMPILE_CACHE: '/usr/local/lib/berth/cache',
      NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin'
    },
    extendEnv: false,
    reject: false
  })

/** The first line names the program that runs it, which is another one in the image. */
const withoutFirstLine = (text: string): string => text.slice(text.indexOf('\n'))

describe.each(['agent', 'helper'] as const)('the image of the %s', target => {
  test('starts berth, with code that was compiled before', async () => {
    const { Entrypoint: entrypoint, Env: variables = [] } = configs[target]
    expect(variables).toContain('NODE_COMPILE_CACHE=/usr/local/lib/berth/cache')
    const { stdout, stderr } = await within(target, ...entrypoint, '--version')
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
    expect(stdout).toContain(`berth ${version}`)
    expect(stdout + stderr).toContain('was accepted')
  })

  test('says what it is, and holds the bundle of these sources', async () => {
    expect(configs[target].Labels).toMatchObject({
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.title': target === 'agent' ? 'berth' : 'berth-helper',
      'org.opencontainers.image.description': expect.stringMatching(/\w{4}/)
    })
    const program = await readFile(join(ROOT, 'dist/berth.mjs'), 'utf8')
    const shipped = await readFile(join(roots[target], 'usr/local/lib/berth/berth.mjs'), 'utf8')
    expect(withoutFirstLine(shipped)).toBe(withoutFirstLine(program))
  })
})

test('the agent is nobody, and has no shell, no package manager, and nothing that it could write to', async () => {
  expect(configs.agent).toMatchObject({ User: '65532:65532', Cmd: ['run'] })
  const { stdout: programs } = await execa('find', [roots.agent, '-type', 'f', '-perm', '/111', '-not', '-name', '*.so*'])
  expect(
    programs
      .split('\n')
      .map(path => path.slice(roots.agent.length))
      .toSorted()
  ).toEqual(['/usr/local/bin/node', '/usr/local/lib/berth/berth.mjs', '/usr/local/lib/berth/devices.mjs'])
  const { stdout: writable } = await execa('find', [
    roots.agent,
    '(',
    '-user',
    '65532',
    '-o',
    '-perm',
    '/022',
    ')',
    '-not',
    '-type',
    'l'
  ])
  expect(writable).toBe(join(roots.agent, 'tmp'))
  expect((await within('agent', '/usr/local/bin/berth', 'report')).stdout).toMatch(/^Workspaces/)
})

test('the helper mounts, loads and compiles, and fetches nothing', async () => {
  expect(configs.helper.Cmd).toEqual(['helper'])
  const { stdout } = await within('helper', 'mount', '--version')
  const [, major, minor] = /util-linux (\d+)\.(\d+)/.exec(stdout) ?? []
  expect(Number(major) * 1000 + Number(minor)).toBeGreaterThanOrEqual(2039)
  const source = 'int main(void){return 7;}'
  const script = `cd /tmp && echo '${source}' >a.c && gcc a.c -o a && ./a; echo $?; make --version | head -n1; modprobe --version | head -n1; flock --version; unshare --version`
  expect((await within('helper', 'sh', '-c', script)).stdout).toMatch(/^7\nGNU Make .*\nkmod version .*\nflock .*\nunshare /)
  for (const program of ['apt', 'apt-get', 'curl', 'wget', 'ssh', 'nc', 'python3', 'npm']) {
    const { exitCode } = await within('helper', 'sh', '-c', `command -v ${program}`)
    expect({ program, exitCode }).toEqual({ program, exitCode: 127 })
  }
})

test('two builds of the agent have one digest', async () => {
  const digests = [await buildAnew('agent'), await buildAnew('agent')]
  expect(digests[0]).toMatch(/^sha256:/)
  expect(digests[1]).toBe(digests[0])
})
