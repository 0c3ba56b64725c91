import { describe, expect, test } from 'vitest'
import { detectAppArmor } from '../../../src/facts/apparmor.ts'
import { detectAppArmorUserns } from '../../../src/facts/apparmor-userns.ts'
import { detectBootId } from '../../../src/facts/boot-id.ts'
import { detectCloud } from '../../../src/facts/cloud.ts'
import { detectConntrack } from '../../../src/facts/conntrack.ts'
import type { Detector } from '../../../src/facts/define-fact.ts'
import { detectDistro } from '../../../src/facts/distro.ts'
import { detectFuse } from '../../../src/facts/fuse.ts'
import { detectGpus } from '../../../src/facts/gpu/gpus.ts'
import { detectNvidiaDevices } from '../../../src/facts/gpu/nvidia-devices.ts'
import { detectNvidiaDriver } from '../../../src/facts/gpu/nvidia-driver.ts'
import { detectHeaders } from '../../../src/facts/headers.ts'
import { detectKernel } from '../../../src/facts/kernel.ts'
import { detectKernelModules } from '../../../src/facts/kernel-modules/detect.ts'
import { MODULE_NAMES } from '../../../src/facts/kernel-modules/names.ts'
import { detectLoadPin } from '../../../src/facts/loadpin.ts'
import { detectLockdown } from '../../../src/facts/lockdown.ts'
import { detectMachine } from '../../../src/facts/machine.ts'
import { detectSignatureEnforcement } from '../../../src/facts/module-signatures.ts'
import { detectModuleSwitch } from '../../../src/facts/module-switch.ts'
import { detectNamespaceLimits } from '../../../src/facts/namespace-limits.ts'
import { detectSeccomp } from '../../../src/facts/seccomp.ts'
import { detectSecureBoot } from '../../../src/facts/secure-boot.ts'
import { detectSeLinux } from '../../../src/facts/selinux.ts'
import { detectStorage } from '../../../src/facts/storage.ts'
import { detectSysbox } from '../../../src/facts/sysbox.ts'
import { detectUserNamespaces } from '../../../src/facts/user-namespaces.ts'
import { detectYama } from '../../../src/facts/yama.ts'
import { type Answers, detect } from './replay.ts'

const RELEASE = { '/proc/sys/kernel/osrelease': '5.15.0\n' }
const UID_MAP = '/proc/self/uid_map'
const OWN = { [UID_MAP]: '0 0 4294967295\n' }
const EFIVARS = '/sys/firmware/efi/efivars'
const SECURE_BOOT = `${EFIVARS}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c`
const GPU = '/sys/bus/pci/devices/0000:00:1e.0'
const SYSBOX = Object.fromEntries(
  ['/usr/bin', '/opt/bin', '/usr/local/sbin'].flatMap(directory =>
    ['sysbox-runc', 'sysbox-mgr', 'sysbox-fs'].map(name => [`${directory}/${name}`, undefined])
  )
)
const BUILD = '/lib/modules/5.15.0/build'
const HEADERS = {
  ...RELEASE,
  [BUILD]: [],
  '/lib/modules/5.15.0/source': undefined,
  ...Object.fromEntries(
    ['Makefile', 'Module.symvers', 'include/generated/autoconf.h', 'scripts/basic/fixdep', 'scripts/mod/modpost'].map(name => [
      `${BUILD}/${name}`,
      'x'
    ])
  )
}
const DMI = Object.fromEntries(
  ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor', 'product_version'].map(name => [
    `/sys/class/dmi/id/${name}`,
    'Dell Inc.\n'
  ])
)
const MACHINE = {
  ...DMI,
  '/proc/cpuinfo': 'processor : 0\n',
  '/sys/class/dmi/id': [],
  '/sys/hypervisor/type': undefined,
  '/proc/device-tree/hypervisor/compatible': undefined,
  '/usr/bin/systemd-detect-virt --vm': undefined
}
const NO_PROC = { '/proc/sys/kernel': undefined }
const NO_SYS = { '/sys/kernel': undefined }

const REASONS: readonly (readonly [detector: Detector<unknown>, answers: Answers, why: string])[] = [
  [detectKernel, { '/proc/sys/kernel/osrelease': undefined }, '/proc/sys/kernel/osrelease is missing: /proc of the node'],
  [detectKernel, { '/proc/sys/kernel/osrelease': 'Linux\n' }, '/proc/sys/kernel/osrelease holds "Linux\\n", not a kernel'],
  [
    detectKernel,
    { '/proc/sys/kernel/osrelease': `${'x'.repeat(99)}\n` },
    `/proc/sys/kernel/osrelease holds "${'x'.repeat(40)}", not a kernel release`
  ],
  [detectBootId, { '/proc/sys/kernel/random/boot_id': 'x\n' }, '/proc/sys/kernel/random/boot_id holds no boot id'],
  [
    detectDistro,
    { '/etc/os-release': undefined, '/usr/lib/os-release': undefined },
    'neither /etc/os-release nor /usr/lib/os-release exists below the host root'
  ],
  [detectDistro, { '/etc/os-release': 'NAME=x\n' }, '/etc/os-release names no distribution (no complete ID= line)'],
  [
    detectDistro,
    { '/etc/os-release': undefined, '/usr/lib/os-release': 'NAME=x\n' },
    '/usr/lib/os-release names no distribution'
  ],
  [detectModuleSwitch, { '/proc/cmdline': undefined }, '/proc/cmdline is missing'],
  [detectModuleSwitch, { '/proc/cmdline': 'ro\nquiet\n' }, '/proc/cmdline is not one line of text'],
  [detectModuleSwitch, NO_PROC, '/proc/sys/kernel is missing: /proc of the node is not mounted'],
  [detectSignatureEnforcement, NO_PROC, '/proc of the node is not mounted'],
  [detectSecureBoot, NO_SYS, '/sys/kernel is missing: /sys of the node is not mounted'],
  [detectSecureBoot, { '/sys/firmware': [] }, '/sys/firmware is empty: the container runtime masks it'],
  [detectSecureBoot, { '/sys/firmware': ['efi'], [EFIVARS]: [] }, `${EFIVARS} is empty: efivarfs is not mounted`],
  [
    detectSecureBoot,
    { '/sys/firmware': ['efi'], [EFIVARS]: ['x'], [SECURE_BOOT]: undefined },
    `${EFIVARS} has no SecureBoot variable`
  ],
  [
    detectSecureBoot,
    { '/sys/firmware': ['efi'], [EFIVARS]: ['x'], [SECURE_BOOT]: '1' },
    `${SECURE_BOOT} has an unexpected format`
  ],
  [detectLockdown, { '/sys/kernel/security': [] }, '/sys/kernel/security is empty: securityfs is not mounted'],
  [
    detectLockdown,
    { '/sys/kernel/security': ['lockdown'], '/sys/kernel/security/lockdown': 'none\n' },
    '/sys/kernel/security/lockdown holds "none\\n", expected a level in brackets'
  ],
  [
    detectLockdown,
    { '/sys/kernel/security': ['lockdown'], '/sys/kernel/security/lockdown': 'x'.repeat(99) },
    `holds "${'x'.repeat(60)}", expected a level in brackets`
  ],
  [detectLoadPin, { '/sys/kernel/security': undefined }, '/sys/kernel/security is empty: securityfs is not mounted'],
  [detectKernelModules, NO_PROC, '/proc of the node is not mounted'],
  [detectKernelModules, NO_SYS, '/sys of the node is not mounted'],
  [detectSeccomp, NO_PROC, '/proc of the node is not mounted'],
  [detectAppArmor, NO_SYS, '/sys of the node is not mounted'],
  [detectAppArmorUserns, NO_PROC, '/proc of the node is not mounted'],
  [detectYama, NO_PROC, '/proc of the node is not mounted'],
  [
    detectYama,
    { '/proc/sys/kernel/yama/ptrace_scope': 'x'.repeat(99) },
    `/proc/sys/kernel/yama/ptrace_scope holds "${'x'.repeat(40)}", not a number`
  ],
  [
    detectSignatureEnforcement,
    { '/sys/module/module/parameters/sig_enforce': 'x'.repeat(99) },
    `/sys/module/module/parameters/sig_enforce holds "${'x'.repeat(40)}", not Y or N`
  ],
  [detectMachine, { ...MACHINE, '/sys/class/dmi/id/sys_vendor': 'Dell' }, '/sys/class/dmi/id/sys_vendor'],
  [detectSeLinux, { '/sys/fs': undefined }, '/sys/fs is missing: /sys of the node is not mounted'],
  [
    detectSeLinux,
    { '/sys/fs': [], '/sys/fs/selinux': [], '/sys/fs/selinux/enforce': undefined },
    '/sys/fs/selinux exists and is empty: selinuxfs is not mounted'
  ],
  [detectSeLinux, { '/sys/fs': [], '/sys/fs/selinux/enforce': '2\n' }, '/sys/fs/selinux/enforce holds 2, neither 0 nor 1'],
  [detectFuse, NO_PROC, '/proc of the node is not mounted'],
  [detectFuse, { '/proc/filesystems': undefined }, '/proc/filesystems is missing'],
  [
    detectFuse,
    { '/proc/filesystems': '', '/dev': undefined, '/dev/fuse': undefined },
    '/dev of the node is not mounted below the host root'
  ],
  [
    detectGpus,
    { '/sys/bus/pci/devices': undefined, '/sys/bus': undefined },
    '/sys of the node is not mounted below the host root'
  ],
  [detectGpus, { '/sys/bus/pci/devices': ['0000:00:1e.0'], [`${GPU}/vendor`]: '10de\n' }, `${GPU}/vendor does not hold a PCI id`],
  [
    detectGpus,
    { '/sys/bus/pci/devices': ['0000:00:1e.0'], [`${GPU}/vendor`]: '0x10de\n', [`${GPU}/class`]: undefined },
    `${GPU}/class does not hold a PCI id`
  ],
  [detectNvidiaDriver, NO_PROC, '/proc of the node is not mounted'],
  [detectNvidiaDriver, { '/proc/driver/nvidia/version': 'x\n' }, '/proc/driver/nvidia/version has no driver version'],
  [
    detectNvidiaDevices,
    {
      '/dev': undefined,
      '/dev/nvidiactl': undefined,
      '/run/nvidia/driver/dev/nvidiactl': undefined,
      '/proc/driver/nvidia/gpus': undefined,
      '/sys/module/nouveau': undefined
    },
    '/dev of the node is not mounted below the host root'
  ],
  [
    detectHeaders,
    { ...HEADERS, [`${BUILD}/include/linux/fs.h`]: 'struct renamedata {\n' },
    `${BUILD}/include/linux/fs.h is not a header of the kernel`
  ],
  [
    detectStorage,
    { '/var/lib/kubelet': [], '/proc/1/mountinfo': undefined, '/proc/self/mountinfo': undefined },
    '/proc/1/mountinfo is missing'
  ],
  [
    detectStorage,
    { '/var/lib/kubelet': [], '/proc/1/mountinfo': 'x\n', '/proc/self/mountinfo': undefined },
    '/proc/1/mountinfo has a line with an unexpected format'
  ],
  [detectSysbox, { ...SYSBOX, '/usr': undefined }, '/usr does not exist below the host root'],
  [detectConntrack, NO_SYS, '/sys of the node is not mounted'],
  [detectUserNamespaces, NO_PROC, '/proc of the node is not mounted'],
  [detectUserNamespaces, { [UID_MAP]: undefined }, `${UID_MAP} is missing`],
  [detectUserNamespaces, { [UID_MAP]: 'x' }, `${UID_MAP} has an unexpected format`],
  [detectUserNamespaces, { [UID_MAP]: '0 1000 1\n' }, `this process runs in its own user namespace (${UID_MAP} begins at 1000)`],
  [detectUserNamespaces, { ...OWN, '/proc/self/ns': undefined }, '/proc/self/ns is missing'],
  [
    detectUserNamespaces,
    { ...OWN, '/proc/self/ns': ['user'], '/proc/sys/user/max_user_namespaces': undefined },
    '/proc/sys/user/max_user_namespaces is missing'
  ],
  [detectNamespaceLimits, { [UID_MAP]: '0 1000 1\n' }, 'this process runs in its own user namespace'],
  [
    detectNamespaceLimits,
    { ...OWN, '/proc/sys/user/max_mnt_namespaces': '4\n', '/proc/sys/user/max_pid_namespaces': undefined },
    '/proc/sys/user has no max_mnt_namespaces or no max_pid_namespaces'
  ],
  [
    detectNamespaceLimits,
    { ...OWN, '/proc/sys/user/max_mnt_namespaces': undefined, '/proc/sys/user/max_pid_namespaces': '4\n' },
    '/proc/sys/user has no max_mnt_namespaces or no max_pid_namespaces'
  ],
  [detectMachine, { ...MACHINE, '/proc/cpuinfo': undefined }, '/proc/cpuinfo is missing'],
  [detectMachine, { ...MACHINE, '/proc/cpuinfo': 'x\n' }, '/proc/cpuinfo lists no processor'],
  [
    detectMachine,
    { ...MACHINE, '/sys/class/dmi/id': undefined },
    'without DMI data, bare metal and virtual machines look the same'
  ],
  [detectMachine, { ...MACHINE, '/sys/class/dmi/id/sys_vendor': '\x01\n' }, 'DMI sys_vendor is not a readable name'],
  [detectMachine, { ...MACHINE, '/sys/class/dmi/id/product_name': '1\n' }, 'DMI product_name is not a readable name'],
  [
    detectMachine,
    { ...MACHINE, '/sys/class/dmi/id/sys_vendor': 'Vultr\n' },
    'the processor has no flag for virtual machines, and Vultr Dell Inc. may be a virtual machine'
  ],
  [detectCloud, { '/sys/class/dmi/id': undefined }, 'the Node has no providerID, and the machine has no DMI data']
]

/** What a person reads of a fact that is unknown: which file it is about, and what is the matter with it. */
describe('an unknown fact says', () => {
  test.each(REASONS.map(([detector, answers, why]) => ({ detector, answers, why })))(
    '$why',
    async ({ detector, answers, why }) => {
      expect(await detect(detector, answers)).toEqual({ unsure: expect.stringContaining(why) })
    }
  )
})

describe('modprobe’s configuration', () => {
  const conf = '/etc/modprobe.d/a.conf'
  const node: Answers = {
    ...RELEASE,
    '/proc/sys/kernel/modules_disabled': '0\n',
    '/proc/cmdline': 'ro\n',
    '/proc/modules': '',
    '/proc/filesystems': '',
    '/lib/modules/5.15.0/modules.builtin': '',
    '/lib/modules/5.15.0/modules.dep': 'kernel/fs/fuse/fuse.ko:\n',
    '/etc/modprobe.d': ['a.conf'],
    '/run/modprobe.d': undefined,
    '/usr/local/lib/modprobe.d': undefined,
    '/usr/lib/modprobe.d': undefined,
    '/lib/modprobe.d': undefined,
    ...Object.fromEntries(MODULE_NAMES.map(name => [`/sys/module/${name}`, undefined]))
  }
  const fuseWith = async (text: Answers[string], more: Answers = {}) => {
    const found = await detect(detectKernelModules, { ...node, [conf]: text, ...more })
    return 'value' in found ? found.value.modules.fuse : found
  }

  test.each<[string, Answers[string], string, string]>([
    ['empty', '', 'unknown', `${conf} is empty, so its content may be lost; remove the file or put a comment into it`],
    ['only white space', ' \n\t\n', 'unknown', `${conf} is empty`],
    ['something else', 'install fuse /bin/false\nhello\n', 'unknown', `${conf} has a line that is not a modprobe directive`],
    ['a word that only begins like a directive', 'installed fuse\n', 'unknown', 'not a modprobe directive'],
    [
      'a command that only ends in /bin/true',
      'install fuse /sbin/modprobe -i fuse && /bin/true\n',
      'unknown',
      'instead of loading fuse'
    ],
    ['a directive that goes on at once in the next line', 'options\\\nfuse x=1\n', 'loadable', 'can be loaded'],
    ['a line that goes on with something else', 'options fuse \\\nhello=1\n', 'loadable', 'can be loaded'],
    ['every directive that modprobe knows', directives(), 'loadable', 'can be loaded'],
    ['a link to /dev/null', { stat: { kind: 'character', mode: 0o666, device: '1:3' } }, 'loadable', 'can be loaded'],
    ['not there after all', undefined, 'loadable', 'can be loaded'],
    [
      'a command of its own',
      'install fuse /sbin/modprobe -i fuse\n',
      'unknown',
      `not loaded, and ${conf} runs "/sbin/modprobe -i fuse" instead of loading fuse`
    ]
  ])('that is %s has the expected effect', async (_, text, state, because) => {
    expect(await fuseWith(text)).toEqual({ state, because: expect.stringContaining(because) })
  })

  test('is read from files that end in .conf only', async () => {
    expect(await fuseWith(undefined, { '/etc/modprobe.d': ['a.conf.bak', 'README', 'conf'] })).toMatchObject({
      state: 'loadable'
    })
  })
})

function directives(): string {
  const words = ['alias', 'blacklist', 'config', 'include', 'options', 'remove', 'softdep', 'weakdep']
  return `# comment\n\n${words.map(word => `${word} x y\n  ${word}\tx\n`).join('')}install other /bin/false\n`
}
