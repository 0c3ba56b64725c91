import { access } from 'node:fs/promises'
import { execa } from 'execa'
import type { Part } from './prepare.ts'

/** Files that the tests need besides Node and Go, and the Debian package of each. */
const NEEDED = {
  '/usr/bin/openssl': 'openssl',
  '/usr/bin/setpriv': 'util-linux',
  '/usr/bin/chromium': 'chromium',
  '/usr/bin/qemu-system-x86_64': 'qemu-system-x86',
  '/usr/share/OVMF/OVMF_CODE_4M.ms.fd': 'ovmf',
  '/usr/sbin/mkfs.ext4': 'e2fsprogs',
  '/usr/bin/gcc': 'gcc',
  '/usr/include/seccomp.h': 'libseccomp-dev',
  '/usr/bin/pkg-config': 'pkg-config',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  '/usr/sbin/iptables': 'iptables',
  '/usr/bin/busybox': 'busybox-static',
  '/usr/bin/fuse-overlayfs': 'fuse-overlayfs',
  '/usr/bin/buildah': 'buildah',
  '/usr/bin/mmdebstrap': 'mmdebstrap',
  '/usr/sbin/ip': 'iproute2',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring'
} as const

/** The packages that this machine lacks. */
export async function missingPackages(): Promise<readonly string[]> {
  const missing = new Set<string>()
  for (const [path, name] of Object.entries(NEEDED)) await access(path).catch(() => missing.add(name))
  return [...missing]
}

const INSTALL = ['install', '--no-install-recommends', '-y'] as const

/** The command line that installs packages, for people. */
export const installLine = (packages: readonly string[]): string => ['apt-get', ...INSTALL, ...packages].join(' ')

export const debianPart: Part = {
  does: 'installing Debian packages',
  isReady: async () => (await missingPackages()).length === 0,
  make: async say => {
    const packages = await missingPackages()
    say(packages.join(', '))
    const options = { stdin: 'ignore', env: { DEBIAN_FRONTEND: 'noninteractive' } } as const
    await execa('apt-get', ['update', '-qq'], options)
    await execa('apt-get', ['-qq', ...INSTALL, ...packages], options)
  },
  wayOut: 'run `apt-get update` and the installation by hand, and look at what apt-get says'
}
