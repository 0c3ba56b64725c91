import { expect, test } from 'vitest'
import { HostError } from '../../../src/host/host.ts'
import { type View, viewOf } from '../../../src/host/view.ts'

const line = (point: string, type = 'ext4', device = '8:1', root = point): string =>
  `30 20 ${device} ${root} ${point} rw,relatime shared:1 - ${type} none rw`

/** The mounts of a pod, whose /host is of a node with one disk. */
const POD = [
  line('/', 'overlay', '0:90', '/'),
  line('/proc', 'proc', '0:91', '/'),
  line('/proc/sys', 'proc', '0:91', '/sys'),
  line('/host/etc', 'ext4', '8:1', '/etc'),
  line('/host/usr', 'ext4', '8:1', '/usr'),
  line('/host/lib', 'ext4', '8:1', '/usr/lib'),
  line('/host/sys', 'sysfs', '0:24', '/'),
  line('/host/sys/fs/cgroup', 'cgroup2', '0:25', '/'),
  line('/host/proc/1/mountinfo', 'proc', '0:23', '/1/mountinfo')
]
const NODE = [
  line('/', 'ext4', '8:1', '/'),
  line('/proc', 'proc', '0:23', '/'),
  line('/sys', 'sysfs', '0:24', '/'),
  // As another cgroup namespace has it.
  line('/sys/fs/cgroup', 'cgroup2', '0:25', '/../../..')
]

const tables = (pod: readonly string[], node: readonly string[]) => (path: string) =>
  `${(path === '/proc/self/mountinfo' ? pod : node).join('\n')}\n`
const view = (pod: readonly string[] = POD, node: readonly string[] = NODE): View => viewOf('/host', tables(pod, node))

function outcome(look: () => string): string {
  try {
    return look()
  } catch (error) {
    if (error instanceof HostError) return error.message
    throw error
  }
}

test.each([
  ['/etc/os-release', '/host/etc/os-release'],
  ['/sys/fs/cgroup/system.slice', '/host/sys/fs/cgroup/system.slice'],
  ['/proc/1/mountinfo', '/host/proc/1/mountinfo'],
  ['/proc/cmdline', '/proc/cmdline'],
  ['/proc/sys/user/max_user_namespaces', '/proc/sys/user/max_user_namespaces'],
  ['/proc/1/comm', "/proc/1/comm cannot be read: the agent's pod cannot see the node's processes"],
  ['/proc/12', "/proc/12 cannot be read: the agent's pod cannot see the node's processes"],
  [
    '/run/nvidia/driver/dev',
    "/run/nvidia/driver/dev cannot be read: it is not mounted into the agent's pod; add components/gpu-operator (chart: gpuOperator.enabled)"
  ],
  ['/boot', "/boot cannot be read: it is not mounted into the agent's pod; mount it read-only at /host/boot"]
])('%s lies at %s', (path, place) => {
  expect(outcome(() => view().place(path))).toBe(place)
})

test('a parent directory of a mount may be missing, and cannot be read itself', () => {
  expect(view().place('/proc/1', '/proc/1/mountinfo')).toBe('/host/proc/1')
  expect(outcome(() => view().place('/proc/1'))).toContain('cannot be read')
  expect(outcome(() => view().place('/'))).toContain('cannot be read')
})

test('a path in /proc that the container runtime has mounted over is not read', () => {
  const covered = view([...POD, line('/proc/driver/nvidia', 'tmpfs', '0:95', '/')])
  expect(outcome(() => covered.place('/proc/driver/nvidia/gpus'))).toMatch(
    /^\/proc\/driver\/nvidia\/gpus cannot be read: another mount covers \/proc\/driver\/nvidia in this pod; mount the node's directory .* \/host\/proc\/driver\/nvidia$/
  )
  expect(covered.place('/proc/driver/other')).toBe('/proc/driver/other')
  const mended = view([
    ...POD,
    line('/proc/driver/nvidia', 'tmpfs', '0:95', '/'),
    line('/host/proc/driver/nvidia', 'proc', '0:23', '/driver/nvidia')
  ])
  expect(mended.place('/proc/driver/nvidia/gpus')).toBe('/host/proc/driver/nvidia/gpus')
})

test('on a node whose /usr is a link, /lib still belongs to /usr', () => {
  const at = '/x86_64-bottlerocket-linux-gnu/sys-root/usr'
  const pod = [
    line('/', 'overlay', '0:90', '/'),
    line('/host/usr', 'ext4', '254:0', at),
    line('/host/lib', 'ext4', '254:0', `${at}/lib`),
    line('/host/lib/modules', 'overlay', '0:40', '/'),
    line('/host/usr/lib/modules', 'overlay', '0:40', '/')
  ]
  const node = [line('/', 'ext4', '254:0', '/'), line(`${at}/lib/modules`, 'overlay', '0:40', '/')]
  expect(view(pod, node).linkOf('/lib')).toBe('/usr/lib')
  expect(view(pod, node).linkOf('/usr')).toBeUndefined()
  expect(view(pod, node).place('/usr/lib/modules/6.1.0')).toBe('/host/usr/lib/modules/6.1.0')
  // Another set of modules is mounted.
  const later = [line('/', 'ext4', '254:0', '/'), line(`${at}/lib/modules`, 'overlay', '0:41', '/')]
  expect(outcome(() => view(pod, later).place('/usr/lib/modules/6.1.0'))).toContain('since this pod started')
  expect(view(pod, later).place('/usr/src')).toBe('/host/usr/src')
})

test('of two file systems at one mount point the last one counts, as on the node', () => {
  const [pod, node] = [
    [...POD, line('/host/usr/src', 'nfs4', '0:50', '/'), line('/host/usr/src', 'tmpfs', '0:51', '/')],
    [...NODE, line('/usr/src', 'nfs4', '0:50', '/'), line('/usr/src', 'tmpfs', '0:51', '/')]
  ]
  expect(view(pod, node).place('/usr/src')).toBe('/host/usr/src')
  expect(outcome(() => view(pod, node.slice(0, -1)).place('/usr/src'))).toContain('since this pod started')
})

test('the mount tables are read again after a second, and not for each path', () => {
  let node: readonly string[] = NODE
  let reads = 0
  let now = 0
  const seen = viewOf(
    '/host',
    path => {
      if (path === '/host/proc/1/mountinfo') reads += 1
      return tables(POD, node)(path)
    },
    () => now
  )
  const before = reads
  for (let count = 0; count < 100; count += 1) seen.place('/usr/src/linux')
  expect(reads - before).toBeLessThanOrEqual(1)
  node = [...NODE, line('/usr/src', 'tmpfs', '0:60', '/')]
  now = 1_500
  expect(outcome(() => seen.place('/usr/src/linux'))).toContain('the node has mounted something there since this pod started')
})

test('without the mount table of this process every path is unknown, with that reason', () => {
  const seen = viewOf('/host', () => undefined)
  expect(outcome(() => seen.place('/etc/os-release'))).toBe(
    '/etc/os-release cannot be read: /proc/self/mountinfo cannot be read, so it is unknown what of the node is mounted at /host'
  )
  expect(outcome(() => seen.place('/proc/cmdline'))).toContain('cannot be read')
  expect(seen.isOwn('/proc/self/mountinfo')).toBe(false)
})

test("without the node's mount table every mounted path is unknown", () => {
  const seen = viewOf('/host', path => (path === '/proc/self/mountinfo' ? tables(POD, NODE)(path) : undefined))
  expect(outcome(() => seen.place('/etc/os-release'))).toMatch(
    /^\/etc\/os-release cannot be read: the node's \/proc\/1\/mountinfo cannot be read, .*; mount that file read-only/
  )
  expect(seen.place('/proc/cmdline')).toBe('/proc/cmdline')
})

test('a mount table that becomes unreadable does not count as unchanged', () => {
  let isReadable = true
  let now = 0
  const read = (path: string) => (isReadable ? tables(POD, NODE)(path) : undefined)
  const seen = viewOf('/host', read, () => now)
  expect(seen.place('/etc/os-release')).toBe('/host/etc/os-release')
  isReadable = false
  now = 1_500
  expect(outcome(() => seen.place('/etc/os-release'))).toContain(
    'cannot be read, so it is unknown what the node has mounted since this pod started'
  )
  isReadable = true
  now = 3_000
  expect(seen.place('/etc/os-release')).toBe('/host/etc/os-release')
})
