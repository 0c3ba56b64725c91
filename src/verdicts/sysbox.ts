import type { NodeFacts } from '../facts/observe.ts'
import type { Sysbox } from '../facts/sysbox.ts'
import { judgeDataDisk } from './data-disk.ts'
import { defineCapability } from './define-capability.ts'
import { judgeFuseDevice } from './fuse.ts'
import { judgeFusermount } from './fusermount3.ts'
import { judgeKernel } from './kernel.ts'
import { moduleWayOut } from './modules.ts'
import { judgeAnyNetfilter } from './netfilter.ts'
import type { Policy } from './policy.ts'
import { judgeSeccomp } from './seccomp.ts'
import { judgeSeLinux } from './selinux.ts'
import { judgeUserNamespaces } from './user-namespaces.ts'
import { allOf, ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'
import { judgeYama } from './yama.ts'

const HANDLER = 'sysbox-runc'
/** Their root file systems are images, and no installer brings Sysbox there. */
const UNSUPPORTED: readonly string[] = ['bottlerocket', 'cos', 'talos']
const OTHER_IMAGE = 'Use a node pool with Ubuntu, Debian or Amazon Linux 2023, and install Sysbox there.'
const INSTALL = 'Install Sysbox on this node (sysbox-deploy-k8s, with the label sysbox-install=yes).'

/** The Sysbox runtime installed on the node; its daemons live on while no container can start, so the node is looked at too. */
export function judgeSysbox(facts: NodeFacts, policy: Policy): Verdict {
  const { sysbox } = facts
  const wayOut = facts.distro.known && UNSUPPORTED.includes(facts.distro.value.id) ? OTHER_IMAGE : INSTALL
  const installed = ask(facts, 'installed', 'sysbox', ({ programs }) =>
    programs.some(path => path.endsWith('/sysbox-runc'))
      ? yes(programs.join(', '))
      : no('no Sysbox is installed on this node', wayOut)
  )
  // Without it the other parts would say the same thing five times.
  if (sysbox.known && installed.answer === 'no') return allOf('sysbox', [installed])
  const parts = [
    installed,
    ask(facts, 'distribution', 'distro', ({ id, name }) =>
      UNSUPPORTED.includes(id) ? no(`Sysbox cannot be installed on ${name}`, OTHER_IMAGE) : yes(name)
    ),
    judgeHandler(facts),
    ask(facts, 'daemons', 'sysbox', judgeDaemons),
    ...(facts.node.known ? [judgeTaint(facts)] : []),
    ask(facts, 'kernel', 'kernel', value => judgeKernel(value, policy.minimumKernel)),
    ...(facts.node.known ? [judgeInstalledVersion(facts, facts.node.value.containerRuntime)] : []),
    judgeProcfs(facts),
    judgeSeccomp(facts),
    judgeUserNamespaces(facts),
    judgeSeLinux(facts),
    judgeFusermount(facts),
    judgeYama(facts),
    judgeDataDisk(facts, 'sysbox-storage'),
    ask(facts, 'FUSE now', 'fuse', ({ registered }) =>
      registered
        ? yes('fuse is registered in /proc/filesystems')
        : no('fuse is not registered in /proc/filesystems', moduleWayOut(facts, 'Load it: modprobe fuse.'))
    ),
    judgeFuseDevice(facts),
    judgeConntrackNow(facts),
    judgeAnyNetfilter(facts)
  ]
  return allOf('sysbox', parts, ['runtime handler', 'daemons'])
}

/** Sysbox binds /sys/module/nf_conntrack/parameters into every container, and nobody loads the module on demand here. */
const judgeConntrackNow = (facts: NodeFacts): Verdict =>
  ask(facts, 'nf_conntrack now', 'conntrack', there =>
    there
      ? yes('/sys/module/nf_conntrack/parameters is there')
      : no(
          '/sys/module/nf_conntrack/parameters is not there, so no container starts',
          moduleWayOut(facts, 'Load it: modprobe nf_conntrack.')
        )
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
  // Only CRI-O of old, under a kubelet that reports no handlers at all.
  if (runtimeHandlers === undefined && containerRuntime.startsWith('cri-o:') && labels['sysbox-runtime'] === 'running') {
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
  const daemons = Object.entries({ 'sysbox-mgr': manager, 'sysbox-fs': fs })
  const dead = daemons.filter(([, found]) => found.ok && found.value === 'dead').map(([name]) => name)
  if (dead.length > 0) {
    return no(
      `${dead.join(' and ')} ${dead.length === 1 ? 'does' : 'do'} not run`,
      'Start them (systemctl restart sysbox) and see why they ended (journalctl -u sysbox-mgr -u sysbox-fs).'
    )
  }
  const hidden = daemons.map(([, found]) => found).find(({ ok }) => !ok)
  return hidden === undefined || hidden.ok
    ? yes('sysbox-mgr and sysbox-fs are alive')
    : unsure(hidden.why, 'Let the agent see all processes of the node, or run the privileged helper.')
}

const judgeInstalledVersion = (facts: NodeFacts, runtime: string): Verdict => {
  const part = ask(facts, 'Sysbox and its runtime', 'sysbox', found => judgeVersion(found, runtime))
  return { ...part, facts: ['sysbox', 'node'] }
}

/** From 0.7.1 on Sysbox starts pods under containerd 2.x (nestybox/sysbox#1006, #1013, #1025). */
const CONTAINERD_2 = [0, 7, 1] as const

function judgeVersion({ version }: Sysbox, runtime: string): Judgement {
  if (!/^containerd:\/\/2\./.test(runtime)) return yes(`the container runtime is ${runtime}`)
  const wayOut = 'Install Sysbox 0.7.1 or newer, or use containerd 1.7.'
  if (!version.ok) return unsure(`the version of Sysbox is not known (${version.why}), and the runtime is ${runtime}`, wayOut)
  if (version.value === '')
    return unsure(`the version of Sysbox is not known, and before 0.7.1 no pod starts under ${runtime}`, wayOut)
  const order = compare(version.value.split('.').map(Number), CONTAINERD_2)
  if (order < 0) return no(`Sysbox ${version.value} starts no pod under ${runtime}`, wayOut)
  return order > 0
    ? yes(`Sysbox ${version.value} under ${runtime}`)
    : yes(`Sysbox ${version.value} under ${runtime}`, `Sysbox 0.7.1 fails on some nodes with ${runtime} (nestybox/sysbox#1035)`)
}

const compare = (a: readonly number[], b: readonly number[]): number => {
  const index = b.findIndex((part, index) => part !== (a[index] ?? 0))
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0)
}

/** A trial of a new procfs outranks what the mount table says. */
function judgeProcfs(facts: NodeFacts): Verdict {
  const name = 'a new procfs'
  const tried = facts.proofs.known ? facts.proofs.value.procfs : undefined
  if (tried?.outcome === 'works') return leaf(name, ['proofs'], yes(`a trial mount worked: ${tried.because}`))
  if (tried?.outcome === 'fails')
    return leaf(name, ['proofs'], no(`a trial mount failed: ${tried.because}`, 'Unmount what lies over files of /proc.'))
  return ask(facts, name, 'procfs', points =>
    points.length === 0
      ? yes('nothing is mounted over files of /proc')
      : no(
          `${points.join(', ')} is mounted over, so the kernel refuses a new procfs in a user namespace`,
          `Unmount it: umount ${points.join(' ')}.`
        )
  )
}

const judgeTaint = (facts: NodeFacts): Verdict =>
  ask(facts, 'taint', 'node', ({ taints }) =>
    taints.some(({ key, value }) => key === 'sysbox-runtime' && value === 'not-running')
      ? no('the Node has the taint sysbox-runtime=not-running', 'Wait for sysbox-deploy-k8s to finish, or see its log.')
      : yes('the Node has no taint sysbox-runtime=not-running')
  )

export const sysbox = defineCapability({
  name: 'sysbox',
  describes: 'pods of the Sysbox runtime (`runtimeClassName: sysbox-runc`)',
  judge: judgeSysbox,
  workspace: {
    nodes: ["Sysbox's installer goes to nodes with the label sysbox-install=yes: give it to the pool too."],
    variants: ['systemd-sysbox']
  }
})
