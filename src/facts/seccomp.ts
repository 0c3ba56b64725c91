import { type Detector, defineFact } from './define-fact.ts'
import { listed } from './listed.ts'
import { requireMounted } from './numbers.ts'

/** seccomp(2) actions of the kernel; Sysbox intercepts system calls with `user_notif`. */
export const detectSeccomp: Detector<readonly string[]> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const text = await host.read('/proc/sys/kernel/seccomp/actions_avail')
  return (text ?? '').split(/\s+/).filter(action => action !== '')
}

export const seccompFact = defineFact({
  name: 'seccomp',
  describes: 'seccomp actions of the kernel',
  detect: detectSeccomp,
  format: actions => listed(actions, 'no actions')
})
