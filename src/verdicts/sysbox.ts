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
import { judgeProcfs } from './procfs.ts'
import { judgeSeccomp } from './seccomp.ts'
import { judgeSeLinux } from './selinux.ts'
import { judgeUserNamespaces } from './user-namespaces.ts'
import { allOf, ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'
import { judgeYama } from './yama.ts'

const HANDLER = 'sysbox-runc'
/** Their root file systems are read-only images, and no installer of Sysbox supports them. */
const UNSUPPORTED: readonly string[] = ['bottlerocket', 'cos', 'talos']
const OTHER_IMAGE = 'Use a node pool with Ubuntu, Debian or Amazon Linux 2023, and install Sysbox there.'
const INSTALL = 'Install Sysbox on this node (sysbox-deploy-k8s, with the label sysbox-install=yes).'

/** The Sysbox runtime on the node. Its daemons keep running while no container can start, so the node's own properties are judged too. */
export function judgeSysbox(facts: NodeFacts, policy: Policy): Verdict {
  const { sysbox } = facts
  const wayOut = facts.distro.known && UNSUPPORTED.includes(facts.distro.value.id) ? OTHER_IMAGE : INSTALL
  const installed = ask(facts, 'installed', 'sysbox', ({ programs }) =>
    programs.some(path => path.endsWith('/sysbox-runc'))
      ? yes(programs.join(', '))
      : no('Sysbox is not installed on this node', wayOut)
  )
  // Without Sysbox the other parts would repeat the same reason.
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
        : no('fuse is not registered in /proc/filesystems', moduleWayOut(facts, 'Load the module: modprobe fuse.'))
    ),
    judgeFuseDevice(facts),
    judgeConntrackNow(facts),
    judgeAnyNetfilter(facts)
  ]
  return allOf('sysbox', parts, ['runtime handler', 'daemons'])
}

/** Sysbox binds /sys/module/nf_conntrack/parameters into every container, and nothing loads the module on demand. */
const judgeConntrackNow = (facts: NodeFacts): Verdict =>
  ask(facts, 'nf_conntrack now', 'conntrack', there =>
    there
      ? yes('/sys/module/nf_conntrack/parameters exists')
      : no(
          '/sys/module/nf_conntrack/parameters is missing, so no Sysbox container starts',
          moduleWayOut(facts, 'Load the module: modprobe nf_conntrack.')
        )
  )

function judgeHandler(facts: NodeFacts): Verdict {
  const { node } = facts
  const name = 'runtime handler'
  if (!node.known)
    return leaf(
      name,
      ['node'],
      unsure(`the runtime handlers of the node are unknown: ${node.why}`, 'Pass the Node object with --node FILE.')
    )
  const { runtimeHandlers, containerRuntime, labels } = node.value
  if (runtimeHandlers?.includes(HANDLER)) return leaf(name, ['node'], yes(`the Node reports the runtime handler ${HANDLER}`))
  // Only for old versions of CRI-O, with a kubelet that reports no runtime handlers.
  if (runtimeHandlers === undefined && containerRuntime.startsWith('cri-o:') && labels['sysbox-runtime'] === 'running') {
    return leaf(name, ['node'], yes(`${containerRuntime} with the label sysbox-runtime=running`))
  }
  return runtimeHandlers === undefined
    ? leaf(
        name,
        ['node'],
        unsure(`kubelet ${node.value.kubelet} does not report its runtime handlers`, 'Use Kubernetes 1.30 or newer.')
      )
    : leaf(name, ['node'], no(`the Node does not report the runtime handler ${HANDLER}`, INSTALL))
}

function judgeDaemons({ manager, fs }: Sysbox): Judgement {
  const daemons = Object.entries({ 'sysbox-mgr': manager, 'sysbox-fs': fs })
  const dead = daemons.filter(([, found]) => found.ok && found.value === 'dead').map(([name]) => name)
  if (dead.length > 0) {
    return no(
      `${dead.join(' and ')} ${dead.length === 1 ? 'is' : 'are'} not running`,
      'Start Sysbox (systemctl restart sysbox), and check why it stopped (journalctl -u sysbox-mgr -u sysbox-fs).'
    )
  }
  const hidden = daemons.map(([, found]) => found).find(({ ok }) => !ok)
  return hidden === undefined || hidden.ok
    ? yes('sysbox-mgr and sysbox-fs are running')
    : unsure(hidden.why, 'Let the agent see all processes of the node (/proc without hidepid).')
}

const judgeInstalledVersion = (facts: NodeFacts, runtime: string): Verdict => {
  const part = ask(facts, 'Sysbox and its runtime', 'sysbox', found => judgeVersion(found, runtime))
  return { ...part, facts: ['sysbox', 'node'] }
}

/** Sysbox starts pods under containerd 2.x from 0.7.1 on (nestybox/sysbox#1006, #1013, #1025). */
const CONTAINERD_2 = [0, 7, 1] as const

function judgeVersion({ version }: Sysbox, runtime: string): Judgement {
  if (!/^containerd:\/\/2\./.test(runtime)) return yes(`the container runtime is ${runtime}`)
  const wayOut = 'Install Sysbox 0.7.1 or newer, or use containerd 1.7.'
  if (!version.ok) return unsure(`the version of Sysbox is unknown (${version.why}), and the runtime is ${runtime}`, wayOut)
  if (version.value === '')
    return unsure(`the version of Sysbox is unknown, and versions before 0.7.1 start no pods under ${runtime}`, wayOut)
  const order = compare(version.value.split('.').map(Number), CONTAINERD_2)
  if (order < 0) return no(`Sysbox ${version.value} starts no pods under ${runtime}`, wayOut)
  return order > 0
    ? yes(`Sysbox ${version.value} under ${runtime}`)
    : yes(`Sysbox ${version.value} under ${runtime}`, `Sysbox 0.7.1 fails on some nodes with ${runtime} (nestybox/sysbox#1035)`)
}

const compare = (a: readonly number[], b: readonly number[]): number => {
  const index = b.findIndex((part, index) => part !== (a[index] ?? 0))
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0)
}

const judgeTaint = (facts: NodeFacts): Verdict =>
  ask(facts, 'taint', 'node', ({ taints }) =>
    taints.some(({ key, value }) => key === 'sysbox-runtime' && value === 'not-running')
      ? no('the Node has the taint sysbox-runtime=not-running', 'Wait until sysbox-deploy-k8s has finished, or check its log.')
      : yes('the Node has no taint sysbox-runtime=not-running')
  )

export const sysbox = defineCapability({
  name: 'sysbox',
  describes: 'pods of the Sysbox runtime (`runtimeClassName: sysbox-runc`)',
  judge: judgeSysbox,
  workspace: {
    nodes: ['The installer of Sysbox runs on nodes with the label sysbox-install=yes: add this label to the pool.'],
    variants: ['systemd-sysbox']
  }
})
