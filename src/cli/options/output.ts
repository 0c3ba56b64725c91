import { CAPABILITIES, type Capability } from '../../verdicts/all.ts'
import { type OptionTable, option, switchOption } from './option.ts'
import { matching, oneOf, optional } from './parsers.ts'

/** What is printed, and how. */
export const OUTPUT_OPTIONS = {
  format: option({
    form: 'table|json|csv|html',
    fallback: 'table',
    commands: ['report', 'explain', 'doctor', 'fleet'],
    does: 'table for people, json for programs; fleet also: csv for spreadsheets, html for a page in one file',
    common: true,
    parse: oneOf('table', 'json', 'csv', 'html')
  }),
  capability: option({
    form: 'NAME',
    fallback: '',
    commands: ['fleet'],
    does: 'show this capability only: which Nodes have it, which do not, and what would help most',
    parse: optional(oneOf<Capability>(...CAPABILITIES))
  }),
  why: switchOption({ commands: ['fleet'], does: 'also print the reasons' }),
  watch: switchOption({ commands: ['fleet'], does: 'keep running and print changes' }),
  autoscaler: switchOption({
    commands: ['fleet'],
    does: 'print the labels and taints that each node pool must declare to be scaled up from zero, taken from what berth found on its nodes'
  }),
  'pool-label': option({
    form: 'KEY',
    fallback: '',
    commands: ['fleet'],
    does: 'label that names the pool of a Node; takes precedence over those of GKE, EKS, AKS and Karpenter',
    parse: optional(matching(/^([a-z0-9.-]+\/)?[A-Za-z0-9][\w.-]*$/, 'the key of a label, such as example.com/pool'))
  }),
  as: option({
    form: 'pod|terraform|nodepool',
    fallback: 'pod',
    commands: ['template'],
    does: 'print the example as a pod, as a Coder template (Terraform), or as the node pool that it needs',
    parse: oneOf('pod', 'terraform', 'nodepool')
  })
} as const satisfies OptionTable
