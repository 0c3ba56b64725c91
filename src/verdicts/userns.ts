import type { Distro } from '../facts/distro.ts'
import { atLeast, type Kernel } from '../facts/kernel.ts'
import type { NodeObject } from '../facts/node-object.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { isEl9, judgeDataDisk, judgeIdMapping, POD_VOLUMES } from './data-disk.ts'
import { defineCapability } from './define-capability.ts'
import { kubeletAtLeast } from './kubelet.ts'
import { judgeProcfs } from './procfs.ts'
import { judgeUserNamespaceLimit } from './user-namespaces.ts'
import { allOf, ask, type Judgement, leaf, no, unsure, type Verdict, yes } from './verdict.ts'

/**
 * A pod in a user namespace of its own (https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/). The scheduler does not keep
 * such a pod off a node that cannot start it.
 */
export function judgeUserns(facts: NodeFacts): Verdict {
  const { kernel } = facts
  const parts = [
    judgeHandler(facts),
    // The runtime handlers still report support while this limit is 0.
    judgeUserNamespaceLimit(facts),
    judgeKernel(facts),
    judgeProcfs(facts),
    judgeDataDisk(facts, 'storage', POD_VOLUMES),
    ...(kernel.known && atLeast(kernel.value, MAYBE) ? [judgeIdMapping(facts)] : []),
    ...(facts.node.known ? [ask(facts, 'kubelet', 'node', judgeKubelet), judgeOuterNamespace(facts, facts.node.value)] : [])
  ]
  return allOf('userns', parts, ['runtime handler', 'user namespaces', 'kernel'])
}

function judgeHandler({ node }: NodeFacts): Verdict {
  const judge = (judgement: Judgement): Verdict => leaf('runtime handler', ['node'], judgement)
  if (!node.known)
    return judge(unsure(`the runtime handlers of the node are unknown: ${node.why}`, 'Pass the Node object with --node FILE.'))
  const { userNamespaceHandlers, containerRuntime, kubelet } = node.value
  const supported = userNamespaceHandlers['']
  if (supported === undefined)
    return judge(
      unsure(
        `the Node does not report whether its default runtime handler supports user namespaces (kubelet ${kubelet}, ${containerRuntime})`,
        OTHER_RUNTIME
      )
    )
  return judge(
    supported
      ? yes('the default runtime handler supports user namespaces')
      : no(`the default runtime handler of ${containerRuntime} does not support user namespaces`, OTHER_RUNTIME)
  )
}

const OTHER_RUNTIME = 'Use Kubernetes 1.33 or newer with containerd 2.0 or CRI-O, and runc 1.2 or crun 1.9, or newer ones.'

/** The service account token of every pod is on a tmpfs, which can be ID-mapped from 6.3 on. ID-mapped overlay layers came with 5.19. */
const MAYBE = [5, 19] as const
const SURE = [6, 3] as const
const NEWER_KERNEL = 'Use a node image with kernel 6.3 or newer.'

function judgeKernel(facts: NodeFacts): Verdict {
  const { kernel, distro } = facts
  const part = ask(facts, 'kernel', 'kernel', value => judgeRelease(value, distro.known ? distro.value : undefined))
  const needsDistro = kernel.known && kernel.value.major === 5 && kernel.value.minor === 14
  return needsDistro ? { ...part, facts: ['kernel', 'distro'] } : part
}

function judgeRelease(kernel: Kernel, distro: Distro | undefined): Judgement {
  const { release } = kernel
  if (atLeast(kernel, SURE)) return yes(`kernel ${release} is at or above 6.3`)
  if (isEl9(release, distro))
    return unsure(
      `kernel ${release} is 5.14 with changes by its distribution; only a trial can show whether it can ID-map a tmpfs`,
      NEWER_KERNEL
    )
  return atLeast(kernel, MAYBE)
    ? unsure(
        `kernel ${release} is between 5.19 and 6.3; only a trial can show whether it can ID-map a tmpfs, on which a pod's token is`,
        NEWER_KERNEL
      )
    : no(`kernel ${release} is below 5.19, so it cannot ID-map the volumes of a pod`, NEWER_KERNEL)
}

function judgeKubelet({ kubelet }: NodeObject): Judgement {
  return kubeletAtLeast(kubelet, 33) === true
    ? yes(`kubelet ${kubelet} is at or above 1.33`)
    : unsure(
        `kubelet ${kubelet || 'of unknown version'} is not known to be 1.33 or newer, and older ones need the feature gate UserNamespacesSupport`,
        'Use Kubernetes 1.33 or newer.'
      )
}

/** A kubelet starts pods in its own user namespace at most, so an agent that runs in none was started by a kubelet that runs in none. */
function judgeOuterNamespace(facts: NodeFacts, { kubelet, runningInUserNamespace }: NodeObject): Verdict {
  const name = "kubelet's own user namespace"
  if (runningInUserNamespace === true)
    return leaf(
      name,
      ['node'],
      no(`kubelet ${kubelet} runs in a user namespace itself`, 'Run the kubelet as root of the node, not in rootless mode.')
    )
  if (runningInUserNamespace === false) return leaf(name, ['node'], yes(`kubelet ${kubelet} runs in no user namespace`))
  const part = ask(facts, name, 'user-namespaces', () =>
    yes(`kubelet ${kubelet} does not report whether it runs in a user namespace, and berth runs in none`)
  )
  return { ...part, facts: ['node', 'user-namespaces'] }
}

export const userns = defineCapability({
  name: 'userns',
  describes: 'a pod in a user namespace of its own (`hostUsers: false`)',
  judge: judgeUserns,
  workspace: {
    nodes: ['Nodes need Kubernetes 1.33, kernel 6.3, and containerd 2.0 or CRI-O, or newer ones, and user namespaces enabled.'],
    runsOnBottlerocket: true
  }
})
