import { completeText, type HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { type Attempt, type Detector, Unsure } from './fact.ts'
import { readCount, readFlag, requireMounted } from './numbers.ts'

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

export interface AppArmor {
  readonly enabled: Attempt<boolean>
  /** Loaded profiles by name, with their mode. */
  readonly profiles: Attempt<ReadonlyMap<string, string>>
  /** The node has a profile file for fusermount3, loaded or not. */
  readonly fusermount3File: Attempt<boolean>
}

const PROFILES = '/sys/kernel/security/apparmor/profiles'

export const detectAppArmor: Detector<AppArmor> = async ({ host }) => {
  await requireMounted(host, 'sys')
  const [enabled, profiles, fusermount3File] = await Promise.all([
    attempt(async () => (await readFlag(host, '/sys/module/apparmor/parameters/enabled')) ?? false),
    attempt(() => readProfiles(host)),
    attempt(async () => (await host.stat('/etc/apparmor.d/fusermount3')) !== undefined)
  ])
  return { enabled, profiles, fusermount3File }
}

async function readProfiles(host: HostReader): Promise<ReadonlyMap<string, string>> {
  const text = await host.read(PROFILES)
  // An empty list says nothing: it is read like this too before the profiles are loaded at boot.
  if (text === undefined || text === '') throw new Unsure(`${PROFILES} is ${text === '' ? 'empty' : 'not there'}`)
  return parseProfiles(completeText(PROFILES, text))
}

/** `NAME (MODE)`, a line each. Throws `Unsure` on a line of another form, since it could be the one that decides. */
export function parseProfiles(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split('\n')
      .filter(line => line !== '')
      .map(line => {
        const [, name, mode] = /^(.+) \((\w+)\)$/.exec(line) ?? []
        if (name === undefined || mode === undefined) throw new Unsure(`${PROFILES} has a line of another form`)
        return [name, mode]
      })
  )
}

/**
 * kernel.apparmor_restrict_unprivileged_userns of Ubuntu's kernels: 1 takes a user namespace's rights from every process
 * without a profile. The file is 0600 and asks for CAP_MAC_ADMIN, so it is often there and not readable.
 */
export const detectAppArmorUserns: Detector<'absent' | 'off' | 'on'> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const restrict = await readCount(host, '/proc/sys/kernel/apparmor_restrict_unprivileged_userns')
  if (restrict === undefined) return 'absent'
  return restrict === 0 ? 'off' : 'on'
}

/** kernel.yama.ptrace_scope; `absent` without Yama. 3 stays until the next boot. */
export const detectYama: Detector<number | 'absent'> = async ({ host }) => {
  await requireMounted(host, 'proc')
  return (await readCount(host, '/proc/sys/kernel/yama/ptrace_scope')) ?? 'absent'
}
