import { JUDGING, ON_ONE_NODE } from '../commands.ts'
import { reservedDomain } from '../reserved-domains.ts'
import { type OptionTable, option, switchOption } from './option.ts'
import { expected, matching, optional } from './parsers.ts'

/** The cluster, and what berth writes to its Nodes. */
export const CLUSTER_OPTIONS = {
  kubeconfig: option({
    form: 'FILE',
    fallback: '',
    commands: [...ON_ONE_NODE, 'fleet'],
    does: "how to reach the API server; without it KUBECONFIG, then the pod's own credentials; fleet outside a pod: ~/.kube/config",
    common: true,
    environment: 'KUBECONFIG',
    parse: text => text
  }),
  'node-name': option({
    form: 'NAME',
    fallback: '',
    commands: [...ON_ONE_NODE, 'helper'],
    does: 'name of the Node of this machine, or of the Node to uninstall from; without it NODE_NAME',
    common: true,
    environment: 'NODE_NAME',
    parse: optional(
      matching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'the name of a Node (lower-case letters, digits, "-" and ".")')
    )
  }),
  'all-nodes': switchOption({ commands: ['uninstall'], does: 'uninstall from every Node of the cluster instead of one' }),
  'label-prefix': option({
    form: 'DOMAIN',
    fallback: 'berth.dev',
    commands: [...JUDGING, 'template', 'doctor', 'fleet', 'uninstall'],
    does: 'domain before the slash of every label; domains of Kubernetes, clouds and other known components are refused',
    common: true,
    parse: parsePrefix
  }),
  'startup-taint': option({
    form: 'KEY',
    fallback: 'startup-taint.cluster-autoscaler.kubernetes.io/berth',
    commands: [...ON_ONE_NODE, 'template', 'fleet'],
    does: 'taint that the agent removes from its Node once the labels are written and read back',
    parse: matching(/^([a-z0-9.-]+\/)?[A-Za-z0-9][\w.-]*$/, 'the key of a taint, such as example.com/starting')
  })
} as const satisfies OptionTable

function parsePrefix(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/.test(text) || text.length > 253) {
    return expected('a DNS domain such as berth.dev')
  }
  const reserved = reservedDomain(text)
  return reserved === undefined ? text : expected(`a domain of your own: ${reserved.domain} belongs to ${reserved.owner}`)
}
