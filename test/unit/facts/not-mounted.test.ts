import { describe, expect, test } from 'vitest'
import { detectNvidiaDevices } from '../../../src/facts/gpu/nvidia-devices.ts'
import { detectNvidiaLibrary } from '../../../src/facts/gpu/nvidia-library.ts'
import { detectSignatureEnforcement } from '../../../src/facts/module-signatures.ts'
import { detectStorage } from '../../../src/facts/storage.ts'
import { detectSysbox } from '../../../src/facts/sysbox.ts'
import { detectSysboxStorage } from '../../../src/facts/sysbox-storage.ts'
import { detectVarLib } from '../../../src/facts/var-lib.ts'
import { NOT_MOUNTED } from '../../../src/host/host.ts'
import { type Answers, detect } from './replay.ts'

/** As the reader refuses what is not among the parts of the node that a pod has. */
const UNSEEN = { error: NOT_MOUNTED }
const unsure = { unsure: expect.stringContaining(NOT_MOUNTED) }

const POD = 'pods/7b3c1e2a-90ab-4cde-8f01-23456789abcd'
const NODE = `25 1 259:1 / / rw - ext4 /dev/root rw
31 25 259:3 / /var rw - xfs /dev/nvme1n1 rw
60 31 0:60 / /var/lib/kubelet/${POD}/volumes/kubernetes.io~projected/token rw - tmpfs tmpfs rw
`
const OWN = `70 69 0:70 / / ro - overlay overlay ro
71 70 0:71 / /proc rw - proc proc rw
72 70 0:72 / /sys ro - sysfs sysfs ro
73 70 259:3 /lib/kubelet/${POD}/etc-hosts /etc/hosts rw - xfs /dev/nvme1n1 rw
74 70 0:24 / /host/sys ro - sysfs sysfs ro
`
const tables: Answers = { '/proc/1/mountinfo': NODE, '/proc/self/mountinfo': OWN }

describe('the disk of the kubelet, whose root is not mounted into the pod', () => {
  const space = { free: 1, total: 2 }
  const node: Answers = { ...tables, '/var/lib/kubelet': UNSEEN, '/proc/self/root/etc/hosts': { space } }

  test('is the one that holds the volumes of pods, and has the size of that of /etc/hosts', async () => {
    expect(await detect(detectStorage, node)).toEqual({
      value: {
        ...{ path: '/var/lib/kubelet', device: '259:3', mountPoint: '/var', type: 'xfs', readOnly: false, noExec: false },
        ...space
      }
    })
  })

  test('is unknown if the operator names a directory that could be a link', async () => {
    expect(await detect(detectStorage, { ...node, '/data/kubelet': UNSEEN }, { kubeletRoot: '/data/kubelet' })).toEqual(unsure)
  })

  test('is unknown if no pod has files on it', async () => {
    const elsewhere = { ...node, '/proc/self/mountinfo': OWN.replace('259:3', '259:9') }
    expect(await detect(detectStorage, elsewhere)).toEqual({ unsure: expect.stringContaining('its size cannot be read') })
  })

  test('is not taken from the pod’s own mounts if those of the node cannot be read', async () => {
    for (const error of ['EACCES', NOT_MOUNTED])
      expect(await detect(detectStorage, { ...node, '/proc/1/mountinfo': { error } })).toEqual({
        unsure: expect.stringContaining('/proc/1/mountinfo')
      })
  })
})

describe('/var/lib', () => {
  const node: Answers = { ...tables, '/var/lib': UNSEEN, '/var/lib/sysbox': UNSEEN, '/proc/self/root/etc/hosts': [] }
  const bare = { '/proc/1/mountinfo': NODE.split('\n').slice(0, 2).join('\n').concat('\n') }
  const resolv = (root: string) => `${OWN}75 70 259:3 ${root} /etc/resolv.conf rw - xfs /dev/nvme1n1 rw\n`

  test('is a directory if pods have volumes below it', async () => {
    expect(await detect(detectVarLib, node)).toMatchObject({ value: { path: '/var/lib', mountPoint: '/var', free: 100e9 } })
  })

  test('is a directory if the pod mounts a file from below it', async () => {
    const answers = { ...node, ...bare, '/proc/self/mountinfo': resolv('/lib/containerd/x/resolv.conf') }
    expect(await detect(detectVarLib, answers)).toMatchObject({ value: { path: '/var/lib', type: 'xfs' } })
  })

  test('is unknown, since it may be a link, if nothing below it is known', async () => {
    const own = resolv('/other/resolv.conf').replace('/lib/kubelet/', '/other/kubelet/')
    expect(await detect(detectVarLib, { ...node, ...bare, '/proc/self/mountinfo': own })).toEqual(unsure)
  })

  test('has no size if nothing of the pod is on it', async () => {
    const found = await detect(detectVarLib, { ...node, '/proc/self/mountinfo': OWN.replace('259:3', '259:9') })
    expect(found).toMatchObject({ value: { path: '/var/lib', type: 'xfs' } })
    expect(found).not.toHaveProperty('value.free')
  })
})

const DIRECTORIES = ['/usr/bin', '/usr/local/sbin'] as const
const programs = (there: boolean): Answers =>
  Object.fromEntries(
    DIRECTORIES.flatMap(directory =>
      ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'].map(name => [
        `${directory}/${name}`,
        there && directory === '/usr/bin' ? 'program' : undefined
      ])
    )
  )
const UNITS = '/sys/fs/cgroup/system.slice'
const daemons = (text: string | undefined): Answers =>
  Object.fromEntries(
    [UNITS, '/sys/fs/cgroup/systemd/system.slice', '/sys/fs/cgroup/unified/system.slice'].flatMap(unit => [
      [unit, unit === UNITS ? [] : undefined],
      ...['runc', 'mgr', 'fs'].map(name => [`${unit}/sysbox-${name}.service/cgroup.procs`, unit === UNITS ? text : undefined])
    ])
  )

describe('Sysbox', () => {
  const opt: Answers = Object.fromEntries(['runc', 'mgr', 'fs'].map(name => [`/opt/bin/sysbox-${name}`, UNSEEN]))
  const version: Answers = { '/var/lib/sysbox-deploy-k8s/sysbox_installed_version': UNSEEN, '/var/lib/dpkg/status': UNSEEN }
  const node: Answers = { '/usr': [], '/proc': UNSEEN, ...opt, ...version, ...programs(false), ...daemons(undefined) }

  test('is not installed if no program is visible and no unit runs', async () => {
    expect(await detect(detectSysbox, node)).toMatchObject({ value: { programs: [], manager: { value: 'dead' } } })
  })

  test('is unknown if a unit runs and no program is visible', async () => {
    expect(await detect(detectSysbox, { ...node, ...daemons('0\n') })).toEqual(unsure)
  })

  test('has dead daemons if no unit runs, and unknown ones without systemd', async () => {
    const installed = { ...node, ...programs(true) }
    const version = { ok: false, why: expect.stringContaining(NOT_MOUNTED) }
    expect(await detect(detectSysbox, installed)).toMatchObject({ value: { manager: { ok: true, value: 'dead' }, version } })
    expect(await detect(detectSysbox, { ...installed, ...daemons('0\n') })).toMatchObject({ value: { fs: { value: 'alive' } } })
    expect(await detect(detectSysbox, { ...installed, [UNITS]: undefined })).toMatchObject({ value: { manager: { ok: false } } })
    const closed = { ...installed, [`${UNITS}/sysbox-mgr.service/cgroup.procs`]: { error: 'EIO' } }
    const why = expect.stringContaining('sysbox-mgr.service/cgroup.procs')
    expect(await detect(detectSysbox, closed)).toMatchObject({ value: { manager: { ok: false, why }, fs: { value: 'dead' } } })
    expect(await detect(detectSysbox, { ...closed, ...programs(false) }), 'nor whether it is installed').toEqual(unsure)
  })

  test('has an unknown data directory if it is installed, else /var/lib', async () => {
    const answers = { ...node, ...tables, '/var/lib': UNSEEN, '/var/lib/sysbox': UNSEEN, '/proc/self/root/etc/hosts': [] }
    expect(await detect(detectSysboxStorage, answers)).toMatchObject({ value: { path: '/var/lib', mountPoint: '/var' } })
    const units: Answers = Object.fromEntries(
      ['/etc', '/usr/lib', '/lib'].flatMap(directory =>
        ['', '.d'].map(end => [`${directory}/systemd/system/sysbox-mgr.service${end}`, undefined])
      )
    )
    const installed: Answers = { ...answers, ...programs(true), ...units }
    expect(await detect(detectSysboxStorage, installed)).toEqual(unsure)
    const below = `${NODE}61 31 0:61 / /var/lib/sysbox/docker rw - tmpfs tmpfs rw\n`
    expect(await detect(detectSysboxStorage, { ...installed, '/proc/1/mountinfo': below })).toMatchObject({
      value: { path: '/var/lib/sysbox', mountPoint: '/var' }
    })
  })
})

describe("the root of NVIDIA's driver container", () => {
  const folders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  const library: Answers = Object.fromEntries(
    folders.flatMap(folder => [
      [`${folder}/libnvidia-ml.so.1`, undefined],
      [`/run/nvidia/driver${folder}/libnvidia-ml.so.1`, UNSEEN]
    ])
  )
  const devices: Answers = {
    '/dev': [],
    '/dev/nvidiactl': undefined,
    '/run/nvidia/driver/dev/nvidiactl': UNSEEN,
    '/proc/driver/nvidia/gpus': ['0000:00:1e.0'],
    '/sys/module/nouveau': undefined
  }

  test('has an unknown library if the node has mounted it, else none', async () => {
    const mounted = `${NODE}62 25 0:62 / /run/nvidia/driver rw - overlay overlay rw\n`
    expect(await detect(detectNvidiaLibrary, { ...tables, ...library })).toEqual({ value: [] })
    expect(await detect(detectNvidiaLibrary, { ...tables, ...library, '/proc/1/mountinfo': mounted })).toEqual(unsure)
    expect(await detect(detectNvidiaLibrary, { ...tables, ...library, '/proc/1/mountinfo': { error: 'EACCES' } })).toHaveProperty(
      'unsure'
    )
  })

  test('has the device files of a driver that manages GPUs, if the node has none', async () => {
    expect(await detect(detectNvidiaDevices, devices)).toEqual(unsure)
    const none = { ...devices, '/proc/driver/nvidia/gpus': undefined }
    expect(await detect(detectNvidiaDevices, none)).toMatchObject({ value: { control: false, gpus: 0 } })
    const onNode = { ...devices, '/dev/nvidiactl': { stat: { kind: 'character', mode: 0o666, device: '195:255' } } } as const
    expect(await detect(detectNvidiaDevices, onNode)).toMatchObject({ value: { control: true, gpus: 1 } })
  })
})

describe('whether signatures of modules are enforced, without /boot and the parameter', () => {
  const node = (release: string): Answers => ({
    '/proc/sys/kernel/osrelease': `${release}\n`,
    '/proc/cmdline': 'ro\n',
    '/sys/module/module/parameters/sig_enforce': undefined,
    [`/boot/config-${release}`]: UNSEEN,
    [`/lib/modules/${release}/config`]: undefined
  })

  test('is known from 5.4 on, and before that from a configuration in another folder', async () => {
    expect(await detect(detectSignatureEnforcement, node('5.4.0-1'))).toEqual({ value: false })
    expect(await detect(detectSignatureEnforcement, node('5.3.0-1'))).toEqual(unsure)
    const forced = { ...node('5.4.0-1'), '/lib/modules/5.4.0-1/config': 'CONFIG_MODULE_SIG_FORCE=y\n' }
    expect(await detect(detectSignatureEnforcement, forced)).toEqual({ value: true })
  })
})
