import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../../../packaging/root.ts'

/**
 * A node and a pod with real mounts, in a mount namespace of their own: a tree of files with file systems of its own is the node, and a
 * folder beside it gets parts of it, as a container runtime mounts them. Prints what the reader answers.
 */
const SETTING = `
mount --make-rprivate /
mount -t tmpfs node "$1" && cd "$1"
mkdir -p node pod/proc/1 other
mount -t tmpfs root node
mkdir -p node/{etc,usr/lib/modprobe.d,usr/src,usr/bin,var/lib/dpkg,run/modprobe.d,sys,dev}
ln -s usr/lib node/lib
ln -s ../var/usrlocal node/usr/local
ln -s ../usr/lib/os-release node/etc/os-release
ln -s /proc/sys/kernel/osrelease node/etc/release
echo ID=debian >node/usr/lib/os-release
echo status >node/var/lib/dpkg/status
echo 'blacklist fuse' >node/usr/lib/modprobe.d/a.conf
mount -t tmpfs sub node/usr/bin && touch node/usr/bin/tool
part() { mkdir -p "pod/$1" && mount --rbind "$(readlink -f "node/$1")" "pod/$1" && mount --make-rprivate "pod/$1"; }
for at in etc usr lib sys dev run/modprobe.d; do part $at; done
# The node's own table, by the names that the node has, is the one of a process whose root is the node.
table() { chroot_table=$(sed -n "s|^\\(\\S* \\S* \\S* \\S*\\) $1/node/\\(\\S*\\)|\\1 /\\2|p; s|^\\(\\S* \\S* \\S* \\S*\\) $1/node |\\1 / |p" /proc/self/mountinfo); echo "$chroot_table" >mountinfo; }
table "$1"
touch pod/proc/1/mountinfo && mount --bind mountinfo pod/proc/1/mountinfo
`

const ASK = `
const { localHost } = await import(process.argv[2])
const host = localHost(process.argv[1] + '/pod')
const out = {}
for (const [verb, path] of JSON.parse(process.argv[3])) {
  out[verb + ' ' + path] = await host[verb](path).then(value => value ?? 'absent', error => error.code + ': ' + error.message)
}
console.log(JSON.stringify(out))
`

type Question = readonly [verb: 'read' | 'list' | 'stat' | 'realpath' | 'statfs', path: string]

/** What is answered after these commands, by the question. */
function answers(commands: string, ...questions: readonly Question[]): Readonly<Record<string, unknown>> {
  const script = `set -e\n${SETTING}\n${commands}\nexec "$2" --input-type=module -e "$3" "$1" "$4" "$5"`
  const given = ['/mnt', process.execPath, ASK, join(ROOT, 'src/host/local.ts'), JSON.stringify(questions)]
  const { stdout, stderr, status } = spawnSync('unshare', ['--mount', 'bash', '-c', script, 'bash', ...given], {
    encoding: 'utf8'
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>
}

describe('a pod with some directories of a node', () => {
  let found: Readonly<Record<string, unknown>>
  beforeAll(() => {
    found = answers(
      '',
      ['read', '/etc/os-release'],
      ['read', '/lib/os-release'],
      ['realpath', '/lib/modprobe.d'],
      ['stat', '/usr/bin/tool'],
      ['stat', '/usr/bin/other'],
      ['list', '/run/modprobe.d'],
      ['read', '/proc/sys/kernel/osrelease'],
      ['read', '/etc/release'],
      ['read', '/proc/self/uid_map'],
      ['read', '/var/lib/dpkg/status'],
      ['stat', '/var'],
      ['stat', '/run'],
      ['list', '/usr/local/lib/modprobe.d'],
      ['list', '/proc'],
      ['read', '/proc/2/comm'],
      ['stat', '/nowhere']
    )
  })

  test.each([
    ['read /etc/os-release', 'ID=debian\n'],
    ['read /lib/os-release', 'ID=debian\n'],
    ['stat /usr/bin/other', 'absent'],
    ['list /run/modprobe.d', []]
  ])('answers %s as the node', (question, answer) => {
    expect(found[question]).toEqual(answer)
  })

  test('resolves a directory that was mounted by the name of a link to the target of the link', () => {
    expect(found['realpath /lib/modprobe.d']).toBe('/usr/lib/modprobe.d')
  })

  test('sees what the node has mounted below them', () => {
    expect(found['stat /usr/bin/tool']).toMatchObject({ kind: 'file' })
  })

  test('reads kernel-wide files and itself in its own /proc, also by a link of the node', () => {
    expect(found['read /proc/sys/kernel/osrelease']).toMatch(/^\d+\.\d+/)
    expect(found['read /etc/release']).toBe(found['read /proc/sys/kernel/osrelease'])
    expect(found['read /proc/self/uid_map']).toMatch(/^\s+0\s+\d+/)
  })

  test.each([
    ['read /var/lib/dpkg/status', '/var/lib/dpkg/status', 'add components/sysbox (chart: sysbox.enabled)'],
    ['stat /var', '/var', 'mount it read-only at /mnt/pod/var'],
    ['stat /run', '/run', 'mount it read-only at /mnt/pod/run'],
    ['list /usr/local/lib/modprobe.d', '/var/usrlocal/lib/modprobe.d', 'add components/ostree (chart: ostree.enabled)'],
    ['list /proc', '/proc', ''],
    ['read /proc/2/comm', '/proc/2/comm', ''],
    ['stat /nowhere', '/nowhere', 'mount it read-only at /mnt/pod/nowhere']
  ])('reports as unknown and not as missing: %s', (question, path, wayOut) => {
    expect(found[question]).toMatch(
      new RegExp(`^ENOTMOUNTED: ${path} cannot be read: (it is not mounted|the agent's pod cannot see the node's processes)`)
    )
    expect(found[question]).toContain(wayOut)
  })
})

const SINCE = /^ENOTMOUNTED: .* since this pod started, and this pod still shows (\S+) as it was; delete the pod/

describe('after the pod has started', () => {
  test('a file system that the node mounts makes the paths below it unknown, and no others', () => {
    const found = answers(
      'mount -t tmpfs new node/usr/src; table "$1"',
      ['stat', '/usr/src/linux'],
      ['list', '/usr/src'],
      ['list', '/usr/lib/modprobe.d'],
      ['list', '/lib/modprobe.d']
    )
    expect(found['stat /usr/src/linux']).toMatch(SINCE)
    expect(found['list /usr/src']).toMatch(SINCE)
    expect(found['list /usr/lib/modprobe.d']).toEqual(['a.conf'])
    expect(found['list /lib/modprobe.d']).toEqual(['a.conf'])
  })

  test('a file system that the node unmounts is unknown, although the pod still has it', () => {
    const found = answers('umount node/usr/bin; table "$1"', ['stat', '/usr/bin/tool'], ['list', '/usr/src'])
    expect(found['stat /usr/bin/tool']).toMatch(SINCE)
    expect(found['list /usr/src']).toEqual([])
  })

  test('an extension over the whole of /usr makes all of it unknown, and leaves /etc', () => {
    const found = answers(
      'mount -t tmpfs extension node/usr; table "$1"',
      ['list', '/usr/src'],
      ['list', '/lib/modprobe.d'],
      ['list', '/etc']
    )
    expect(found['list /usr/src']).toMatch(SINCE)
    expect(found['list /lib/modprobe.d']).toMatch(SINCE)
    expect(found['list /etc']).toEqual(['os-release', 'release'])
  })

  test('a directory that was removed and made again is unknown', () => {
    const found = answers(
      'rmdir node/run/modprobe.d; mkdir node/run/modprobe.d; echo blacklist fuse >node/run/modprobe.d/a.conf',
      ['list', '/run/modprobe.d']
    )
    expect(found['list /run/modprobe.d']).toMatch(SINCE)
  })
})

test("without the node's mount table every path is unknown, mounted or not", () => {
  const commands = 'umount pod/proc/1/mountinfo; rm pod/proc/1/mountinfo'
  const found = answers(commands, ['read', '/etc/os-release'], ['stat', '/var/lib/dpkg'])
  expect(found['read /etc/os-release']).toMatch(/^ENOTMOUNTED.*\/proc\/1\/mountinfo cannot be read/)
  expect(found['stat /var/lib/dpkg']).toMatch(/^ENOTMOUNTED/)
})

test('a whole root and a tree of files with its own /proc are read directly', () => {
  for (const commands of [
    'mount --rbind node other; mount --move other pod',
    'umount pod/{etc,usr/bin,usr,lib/bin,lib,sys,dev,run/modprobe.d,proc/1/mountinfo} 2>/dev/null || true'
  ]) {
    const found = answers(commands, ['stat', '/nowhere'], ['read', '/proc/2/comm'])
    expect(found).toEqual({ 'stat /nowhere': 'absent', 'read /proc/2/comm': 'absent' })
  }
})
