import { access } from 'node:fs/promises'
import { execa } from 'execa'

/** Programs that the tests need besides Node and Go, and the Debian package of each. */
const NEEDED = {
  '/usr/bin/openssl': 'openssl',
  '/usr/bin/setpriv': 'util-linux',
  '/usr/bin/mkfifo': 'coreutils',
  '/usr/bin/prometheus': 'prometheus',
  '/usr/bin/promtool': 'prometheus',
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
  '/usr/bin/buildah': 'buildah',
  '/usr/bin/mmdebstrap': 'mmdebstrap',
  '/usr/sbin/ip': 'iproute2',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring'
} as const

/** Installs what is missing, on Debian as root; elsewhere says what to install. */
export async function installPrograms(): Promise<void> {
  const missing = new Set<string>()
  for (const [path, name] of Object.entries(NEEDED)) await access(path).catch(() => missing.add(name))
  if (missing.size === 0) return
  if (process.getuid?.() !== 0) throw new Error(`install ${[...missing].join(', ')} first`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await execa('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2], env })
  await execa('apt-get', ['install', '-qq', '--no-install-recommends', '-y', ...missing], { stdio: ['ignore', 2, 2], env })
}
