import type { NodeFacts } from '../facts/observe.ts'
import type { Sysbox } from '../facts/sysbox.ts'
import { judgeFusermount, judgeSeccomp, judgeSeLinux, judgeUserNamespaces, judgeYama } from './cvm.ts'
import { judgeDataDisk } from './data-disk.ts'
import { allOf, ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

const HANDLER = 'sysbox-runc'
const INSTALL = 'Install Sysbox on this node (sysbox-deploy-k8s, with the label sysbox-install=yes).'

/** The Sysbox runtime installed on the node; its daemons live on while no container can start, so the node is looked at too. */
export function judgeSysbox(facts: NodeFacts): Verdict {
  const { sysbox } = facts
  const installed = ask(facts, 'installed', 'sysbox', ({ programs }) =>
    programs.some(path => path.endsWith('/sysbox-runc'))
      ? yes(programs.join(', '))
      : no('no Sysbox is installed on this node', INSTALL)
  )
  // Without it the other parts would say the same thing five times.
  if (sysbox.known && installed.answer === 'no') return allOf('sysbox', [installed])
  const parts = [
    installed,
    judgeHandler(facts),
    ask(facts, 'daemons', 'sysbox', judgeDaemons),
    ...(facts.node.known ? [judgeTaint(facts)] : []),
    judgeSeccomp(facts),
    judgeUserNamespaces(facts),
    judgeSeLinux(facts),
    judgeFusermount(facts),
    judgeYama(facts),
    judgeDataDisk(facts, 'sysbox-storage'),
    ask(facts, 'FUSE now', 'fuse', ({ registered }) =>
      registered
        ? yes('fuse is registered in /proc/filesystems')
        : no('fuse is not registered in /proc/filesystems', 'Load it: modprobe fuse.')
    ),
    judgeConntrackNow(facts)
  ]
  return allOf('sysbox', parts, ['runtime handler', 'daemons'])
}

/** Sysbox binds /sys/module/nf_conntrack/parameters into every container, and nobody loads the module on demand here. */
const judgeConntrackNow = (facts: NodeFacts): Verdict =>
  ask(facts, 'nf_conntrack now', 'conntrack', there =>
    there
      ? yes('/sys/module/nf_conntrack/parameters is there')
      : no('/sys/module/nf_conntrack/parameters is not there, so no container starts', 'Load it: modprobe nf_conntrack.')
  )

function judgeHandler(facts: NodeFacts): Verdict {
  const { node } = facts
  const name = 'runtime handler'
  if (!node.known)
    return leaf(
      name,
      ['node'],
      unsure(`whether the kubelet can use it is not known: ${node.why}`, 'Give the Node object (--node FILE).')
    )
  const { runtimeHandlers, containerRuntime, labels } = node.value
  if (runtimeHandlers?.includes(HANDLER)) return leaf(name, ['node'], yes(`the Node reports the runtime handler ${HANDLER}`))
  if (containerRuntime.startsWith('cri-o:') && labels['sysbox-runtime'] === 'running') {
    return leaf(name, ['node'], yes(`${containerRuntime} with the label sysbox-runtime=running`))
  }
  return runtimeHandlers === undefined
    ? leaf(
        name,
        ['node'],
        unsure(`the kubelet ${node.value.kubelet} does not report its runtime handlers`, 'Use Kubernetes 1.30 or newer.')
      )
    : leaf(name, ['node'], no(`the Node does not report the runtime handler ${HANDLER}`, INSTALL))
}

function judgeDaemons({ manager, fs }: Sysbox): Judgement {
  const down = Object.entries({ 'sysbox-mgr': manager, 'sysbox-fs': fs }).filter(([, state]) => state !== 'alive')
  return down.length === 0
    ? yes('sysbox-mgr and sysbox-fs are alive')
    : no(
        down.map(([name, state]) => `${name}: ${state}`).join(', '),
        'Start them (systemctl restart sysbox) and see why they ended (journalctl -u sysbox-mgr -u sysbox-fs).'
      )
}

const judgeTaint = (facts: NodeFacts): Verdict =>
  ask(facts, 'taint', 'node', ({ taints }) =>
    taints.some(({ key, value }) => key === 'sysbox-runtime' && value === 'not-running')
      ? no('the Node has the taint sysbox-runtime=not-running', 'Wait for sysbox-deploy-k8s to finish, or see its log.')
      : yes('the Node has no taint sysbox-runtime=not-running')
  )
