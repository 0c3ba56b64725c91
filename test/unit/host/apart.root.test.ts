import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../../../packaging/root.ts'
import { apartHost } from '../../../src/host/apart.ts'
import { HostError, NOT_MOUNTED } from '../../../src/host/host.ts'
import { type MountLine, parseMountTable } from '../../../src/host/mount-table.ts'
import { temporary } from './temporary.ts'

/** A file system whose server never answers: FUSE without anybody who reads /dev/fuse. Resolves to what ends it. */
function hang(directory: string): () => void {
  mkdirSync(directory, { recursive: true })
  const server = openSync('/dev/fuse', 'r+')
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0'
  const { status } = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'hang', directory], {
    stdio: ['ignore', 'inherit', 'inherit', server]
  })
  expect(status).toBe(0)
  let isOver = false
  const end = () => {
    if (isOver) return
    isOver = true
    closeSync(server)
    spawnSync('umount', ['-l', directory])
  }
  onTestFinished(end)
  return end
}

const opened = (root: string) => {
  const host = apartHost(root, { program: join(ROOT, 'src/main.ts'), timeout: 1_000 })
  onTestFinished(() => host.close())
  return host
}

const why = (look: Promise<unknown>): Promise<string> =>
  look.then(
    () => 'answered',
    error => (error instanceof HostError ? error.message : Promise.reject(error))
  )

test('a mount that hangs costs one timeout, blocks no other path, and is skipped until it answers', async () => {
  const root = temporary({ 'etc/os-release': 'ID=debian\n', 'usr/src/': 'directory/' })
  const end = hang(join(root, 'usr/src'))
  const host = opened(root)
  let turns = 0
  const turning = setInterval(() => {
    turns += 1
  }, 10)
  onTestFinished(() => clearInterval(turning))
  const looks = ['/usr/src/a', '/usr/src/b', '/usr/src'].map(path => why(host.stat(path)))
  // Asked after what hangs, and answered by the next process.
  const release = host.read('/etc/os-release')
  expect(await looks[0]).toMatch(/^\/usr\/src\/a cannot be read: .*(time|answer)/)
  expect(await looks[1]).toMatch(/\/usr\/src(?!\/).*(skipped|asked again)/)
  expect(await looks[2]).toMatch(/\/usr\/src(?!\/).*(skipped|asked again)/)
  expect(await release).toBe('ID=debian\n')
  // The event loop went on.
  expect(turns).toBeGreaterThan(20)
  end()
  expect(await why(host.stat('/usr/src/c'))).toMatch(/asked again in \d+ s/)
})

test('a reader process that is killed is replaced, and at most one question fails', async () => {
  const host = opened(temporary({ 'etc/os-release': 'ID=debian\n' }))
  expect(await host.read('/etc/os-release')).toBe('ID=debian\n')
  const children = spawnSync('pgrep', ['-P', `${process.pid}`, '-f', 'read-for-parent'], { encoding: 'utf8' }).stdout.trim()
  process.kill(Number(children), 'SIGKILL')
  const first = await why(host.read('/etc/os-release'))
  expect(['answered', expect.stringContaining('SIGKILL')]).toContainEqual(first)
  expect(await host.read('/etc/os-release')).toBe('ID=debian\n')
})

test('the reader process gives the same answers as a reader in this process', async () => {
  const root = temporary({
    'etc/os-release': 'ID=debian\nID_LIKE=x\n',
    'etc/link': { link: 'os-release' },
    'etc/empty/': 'directory/'
  })
  const host = opened(root)
  expect(await host.lines('/etc/os-release', /^ID=/)).toEqual(['ID=debian'])
  expect(await host.list('/etc')).toEqual(['empty', 'link', 'os-release'])
  expect(await host.realpath('/etc/link')).toBe('/etc/os-release')
  expect(await host.stat('/etc/empty')).toMatchObject({ kind: 'directory' })
  expect((await host.statfs('/etc'))?.total).toBeGreaterThan(0)
  expect([await host.read('/etc/none'), await host.stat('/none'), await host.list('/etc/none/x')]).toEqual([
    undefined,
    undefined,
    undefined
  ])
  expect(await why(host.read('/etc/empty'))).toMatch(/^\/etc\/empty cannot be read: .*directory/)
})

/** The mount table of a node: what lies below `node` is its root, and what is mounted at these places of `pod` is mounted on the node too. */
function nodeTable(node: string, pod: string, places: readonly string[]): string {
  const own = parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8'))
  const [etc, ...shared] = ['/etc', ...places].map(place => ({ ...(own.get(pod + place) as MountLine), point: place }))
  const { root = '', device = '', type = '' } = etc ?? {}
  expect(root.endsWith(`${basename(node)}/etc`)).toBe(true)
  const lines = [{ root: root.replace(/\/etc$/, ''), device, type, point: '/' }, ...shared]
  return lines.map(line => `1 1 ${line.device} ${line.root} ${line.point} rw - ${line.type} none rw\n`).join('')
}

test('in a pod a hung mount costs one timeout, and a path that is not mounted is reported as such', async () => {
  const node = temporary({ 'etc/os-release': 'ID=debian\n', 'usr/src/': 'directory/' })
  const pod = temporary({ 'etc/': 'directory/', 'usr/': 'directory/' })
  for (const name of ['etc', 'usr']) {
    expect(spawnSync('mount', ['--bind', join(node, name), join(pod, name)]).status).toBe(0)
    onTestFinished(() => void spawnSync('umount', ['-l', join(pod, name)]))
  }
  hang(join(pod, 'usr/src'))
  mkdirSync(join(pod, 'proc/1'), { recursive: true })
  writeFileSync(join(pod, 'proc/1/mountinfo'), nodeTable(node, pod, ['/usr/src']))
  const host = opened(pod)
  const [hung, release, status] = [why(host.stat('/usr/src/a')), host.read('/etc/os-release'), host.read('/var/lib/dpkg/status')]
  expect(await hung).toMatch(/^\/usr\/src\/a cannot be read: .*(time|answer)/)
  expect(await release).toBe('ID=debian\n')
  await expect(status).rejects.toMatchObject({ name: 'HostError', code: NOT_MOUNTED, path: '/var/lib/dpkg/status' })
  expect(await why(host.list('/usr/src'))).toMatch(/\/usr\/src(?!\/).*(skipped|asked again)/)
  expect(await host.statfs('/proc/self/root/')).toMatchObject({ total: expect.any(Number) })
})
