import { CLUSTER_OPTIONS } from './cluster.ts'
import { DEVICE_OPTIONS } from './devices.ts'
import { NODE_OPTIONS } from './node.ts'
import type { OptionTable } from './option.ts'
import { OUTPUT_OPTIONS } from './output.ts'
import { PROCESS_OPTIONS } from './process.ts'
import { REMEDY_OPTIONS } from './remedies.ts'
import { RULE_OPTIONS } from './rules.ts'

/** Every option, in the order of the documents. A new option is one entry in the table of its topic. */
export const OPTIONS = {
  ...OUTPUT_OPTIONS,
  ...NODE_OPTIONS,
  ...CLUSTER_OPTIONS,
  ...RULE_OPTIONS,
  ...REMEDY_OPTIONS,
  ...DEVICE_OPTIONS,
  ...PROCESS_OPTIONS
} as const satisfies OptionTable

/** The same options by topic, under the headings of `berth COMMAND --help`. */
export const OPTION_GROUPS: readonly { readonly title: string; readonly options: OptionTable }[] = [
  { title: 'Output', options: OUTPUT_OPTIONS },
  { title: 'The node', options: NODE_OPTIONS },
  { title: 'The cluster', options: CLUSTER_OPTIONS },
  { title: 'Rules for workspaces', options: RULE_OPTIONS },
  { title: 'Remedies', options: REMEDY_OPTIONS },
  { title: 'Devices', options: DEVICE_OPTIONS },
  { title: 'The process', options: PROCESS_OPTIONS }
]

export type OptionName = keyof typeof OPTIONS
export type Options = { readonly [Name in OptionName]: ReturnType<(typeof OPTIONS)[Name]['parse']> }
