import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { listed } from './listed.ts'
import { readCount, requireMounted } from './numbers.ts'

/** seccomp(2) actions of the kernel; `user_notif` is how Sysbox sees system calls. */
export const detectSeccomp: Detector<readonly string[]> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const text = await host.read('/proc/sys/kernel/seccomp/actions_avail')
  return (text ?? '').split(/\s+/).filter(action => action !== '')
}

/** Where kubeadm, EKS and its older images keep the kubelet's configuration. */
const KUBELET_CONFIGS = [
  '/var/lib/kubelet/config.yaml',
  '/etc/kubernetes/kubelet/config.json',
  '/etc/kubernetes/kubelet/kubelet-config.json'
] as const

/**
 * kubelet's `seccompDefault`, which gives every pod a profile unless it says Unconfined. Those files are often for root only,
 * and settings can come by other ways, so `unseen` is an ordinary answer here and not an unknown fact.
 */
export const detectSeccompDefault: Detector<'on' | 'off' | 'unseen'> = async ({ host }) => {
  for (const path of KUBELET_CONFIGS) {
    const lines = await attempt(() => host.lines(path, /^\s*"?seccompDefault"?\s*:/))
    if (!lines.ok || lines.value === undefined) continue
    return lines.value.some(line => /:\s*true\b/.test(line)) ? 'on' : 'off'
  }
  return 'unseen'
}

export type SeLinux = 'absent' | 'permissive' | 'enforcing'

export const detectSeLinux: Detector<SeLinux> = async ({ host }) => {
  const fs = await host.stat('/sys/fs')
  if (fs === undefined) throw new Unsure('/sys/fs is not there: /sys of the node is not mounted below the host root')
  const enforce = await readCount(host, '/sys/fs/selinux/enforce')
  if (enforce === undefined) {
    // The kernel makes this directory only when SELinux is on; empty, its file system is not mounted below the host root.
    if ((await host.stat('/sys/fs/selinux')) !== undefined)
      throw new Unsure('/sys/fs/selinux is there and empty: selinuxfs is not mounted')
    return 'absent'
  }
  if (enforce > 1) throw new Unsure(`/sys/fs/selinux/enforce holds ${enforce}, neither 0 nor 1`)
  return enforce === 1 ? 'enforcing' : 'permissive'
}

/** kernel.yama.ptrace_scope; `absent` without Yama. 3 stays until the next boot. */
export const detectYama: Detector<number | 'absent'> = async ({ host }) => {
  await requireMounted(host, 'proc')
  return (await readCount(host, '/proc/sys/kernel/yama/ptrace_scope')) ?? 'absent'
}

export const seccompFact = defineFact({
  name: 'seccomp',
  describes: 'the actions that seccomp knows',
  detect: detectSeccomp,
  format: actions => listed(actions, 'no actions')
})

export const seccompDefaultFact = defineFact({
  name: 'seccomp-default',
  describes: "kubelet's `seccompDefault`, where its configuration can be read",
  detect: detectSeccompDefault,
  format: state => state
})

export const selinuxFact = defineFact({
  name: 'selinux',
  describes: 'absent, permissive, enforcing',
  detect: detectSeLinux,
  format: mode => mode
})

export const yamaFact = defineFact({
  name: 'yama',
  describes: '`kernel.yama.ptrace_scope`',
  detect: detectYama,
  format: scope => (scope === 'absent' ? 'absent' : `ptrace_scope ${scope}`)
})
