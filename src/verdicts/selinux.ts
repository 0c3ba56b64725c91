import type { NodeFacts } from '../facts/observe.ts'
import { ask, no, unsure, type Verdict, yes } from './verdict.ts'

export const judgeSeLinux = (facts: NodeFacts): Verdict =>
  ask(facts, 'SELinux', 'selinux', mode => {
    // There a privileged container is control_t, which may do what Sysbox needs.
    if (mode === 'enforcing' && facts.distro.known && facts.distro.value.id === 'bottlerocket')
      return yes('SELinux is enforcing, which stops no privileged container on Bottlerocket')
    if (mode === 'enforcing' && !facts.distro.known)
      return unsure(`SELinux is enforcing, and the distribution is not known: ${facts.distro.why}`)
    if (mode === 'enforcing')
      return no(
        'SELinux is enforcing, which Sysbox does not support',
        'Set SELinux to permissive on these nodes (SELINUX=permissive in /etc/selinux/config).'
      )
    return mode === 'permissive'
      ? yes('SELinux is permissive', 'SELinux is permissive; enforcing it would end this')
      : yes('there is no SELinux')
  })
