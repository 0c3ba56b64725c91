import type { NodeFacts } from '../facts/observe.ts'
import { ask, no, unsure, type Verdict, yes } from './verdict.ts'

export const judgeSeLinux = (facts: NodeFacts): Verdict =>
  ask(facts, 'SELinux', 'selinux', mode => {
    // On Bottlerocket a privileged container has the type control_t, which may do everything that Sysbox needs.
    if (mode === 'enforcing' && facts.distro.known && facts.distro.value.id === 'bottlerocket')
      return yes('SELinux is enforcing, which does not block privileged containers on Bottlerocket')
    if (mode === 'enforcing' && !facts.distro.known)
      return unsure(`SELinux is enforcing, and the distribution is unknown: ${facts.distro.why}`)
    if (mode === 'enforcing')
      return no(
        'SELinux is enforcing, which Sysbox does not support',
        'Set SELinux to permissive on these nodes (SELINUX=permissive in /etc/selinux/config).'
      )
    return mode === 'permissive'
      ? yes('SELinux is permissive', 'SELinux is permissive; Sysbox stops working if it is set to enforcing')
      : yes('there is no SELinux')
  })
