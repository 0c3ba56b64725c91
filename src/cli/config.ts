import { basename } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Version } from '../facts/kernel.ts'
import { LEVELS, type LogLevel } from '../log-level.ts'
import { PERMITS, type Permit } from '../remedies/plan.ts'
import { CAPABILITIES, type Capability } from '../verdicts/decide.ts'
import type { Policy } from '../verdicts/policy.ts'
import { reservedDomain } from './reserved-domains.ts'

/** A command by its name, what follows it, and what it does. */
export const COMMANDS = {
  report: { operand: '', does: 'one look, no change: what this node can host, why not, and the way out' },
  explain: { operand: 'CAPABILITY', does: 'one verdict as a tree, down to the file and the value that was read' },
  run: { operand: '', does: 'look, decide, and put the labels on the Node' },
  record: { operand: 'FILE', does: 'write what was asked of this node and answered, scrubbed, as a fixture' },
  template: {
    operand: 'CAPABILITY',
    does: 'an example workspace that chooses its nodes by the labels: a pod, a Coder template, or the pool of nodes for it'
  },
  helper: { operand: '', does: 'the privileged half: tries mounts, applies permitted remedies; no token, no port' },
  doctor: { operand: '', does: 'prove the installation: identity, permissions, admission policy, agent, labels, taint, clock' },
  fleet: { operand: '', does: 'all Nodes and what each can host, why not, and what would help most' },
  uninstall: { operand: '', does: 'remove from one Node, or from all, everything that berth ever wrote there' }
} as const satisfies Readonly<Record<string, { operand: string; does: string }>>

export type CommandName = keyof typeof COMMANDS

/** One option: its value's form for people, its default as text, the commands that take it, and its parser. */
export interface Option<T> {
  /** Empty for a switch. */
  readonly form: string
  readonly fallback: string
  readonly commands: readonly CommandName[]
  readonly does: string
  /** An environment name besides `BERTH_…`, which counts when neither is given. */
  readonly environment?: string
  /** Throws `Error` with what was expected. */
  readonly parse: (text: string) => T
}

const option = <T>(definition: Option<T>): Option<T> => definition

const expected = (what: string): never => {
  throw new Error(`expected ${what}`)
}

const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (text: string): T =>
    values.find(value => value === text) ?? expected(values.join(' or '))

const isOn = (text: string): boolean => oneOf('true', 'false')(text) === 'true'

const list = (text: string): readonly string[] =>
  text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')

const LOOKING = ['report', 'explain', 'run', 'helper'] as const satisfies readonly CommandName[]
const ASKING = ['run', 'doctor', 'uninstall'] as const satisfies readonly CommandName[]

/** Every option. Help, the README's table, environment names and the type of the configuration derive from this one table. */
export const OPTIONS = {
  'host-root': option({
    form: 'DIR',
    fallback: '/',
    commands: ['report', 'explain', 'run', 'helper', 'record', 'doctor'],
    does: "where the node's root is mounted; report and explain also take a recorded node (FILE.yaml)",
    parse: text => (text === '' ? expected('a directory or a recorded node') : text)
  }),
  node: option({
    form: 'FILE',
    fallback: '',
    commands: ['report', 'explain'],
    does: 'a Node object as JSON or YAML, whose facts join',
    parse: text => text
  }),
  format: option({
    form: 'table|json|csv|html',
    fallback: 'table',
    commands: ['report', 'explain', 'doctor', 'fleet'],
    does: 'for people or for programs; csv for spreadsheets and html, a page in one file, of a fleet only',
    parse: oneOf('table', 'json', 'csv', 'html')
  }),
  capability: option({
    form: 'NAME',
    fallback: '',
    commands: ['fleet'],
    does: 'this one alone: who can, who cannot, and what would help most',
    parse: text => (text === '' ? text : oneOf<Capability>(...CAPABILITIES)(text))
  }),
  why: option({
    form: '',
    fallback: 'false',
    commands: ['fleet'],
    does: 'the reasons too',
    parse: isOn
  }),
  watch: option({
    form: '',
    fallback: 'false',
    commands: ['fleet'],
    does: 'go on, and tell what changes',
    parse: isOn
  }),
  autoscaler: option({
    form: '',
    fallback: 'false',
    commands: ['fleet'],
    does: 'the labels and taints that each node pool must promise to be scaled up from zero, from what its nodes proved',
    parse: isOn
  }),
  'pool-label': option({
    form: 'KEY',
    fallback: '',
    commands: ['fleet'],
    does: 'the label that names the pool of a Node, before those of GKE, EKS, AKS and Karpenter',
    parse: text =>
      text === '' || /^([a-z0-9.-]+\/)?[A-Za-z0-9][\w.-]*$/.test(text) ? text : expected("a label's key, as in example.com/pool")
  }),
  as: option({
    form: 'pod|terraform|nodepool',
    fallback: 'pod',
    commands: ['template'],
    does: 'the example as a pod, as a Coder template in Terraform, or as the pool of nodes that it needs',
    parse: oneOf('pod', 'terraform', 'nodepool')
  }),
  once: option({
    form: '',
    fallback: 'false',
    commands: ['run', 'helper'],
    does: 'one cycle, then end',
    parse: isOn
  }),
  kubeconfig: option({
    form: 'FILE',
    fallback: '',
    commands: [...ASKING, 'fleet'],
    does: "how to reach the API; else KUBECONFIG, else the pod's own credentials; outside of a pod fleet takes ~/.kube/config",
    environment: 'KUBECONFIG',
    parse: text => text
  }),
  'node-name': option({
    form: 'NAME',
    fallback: '',
    commands: [...ASKING, 'helper'],
    does: 'the Node that is this machine, or that is uninstalled from; else NODE_NAME',
    environment: 'NODE_NAME',
    parse: text =>
      text === '' || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)
        ? text
        : expected('the name of a Node (lower case, digits, - and .)')
  }),
  'all-nodes': option({
    form: '',
    fallback: 'false',
    commands: ['uninstall'],
    does: 'every Node of the cluster, in place of one',
    parse: isOn
  }),
  'dry-run': option({
    form: '',
    fallback: 'false',
    commands: ['uninstall', 'helper'],
    does: 'say what would be done, and do nothing',
    parse: isOn
  }),
  'label-prefix': option({
    form: 'DOMAIN',
    fallback: 'berth.dev',
    commands: [...LOOKING, 'template', 'doctor', 'fleet', 'uninstall'],
    does: 'the domain before the slash of every label; the domains of Kubernetes, clouds and other known components are refused',
    parse: parsePrefix
  }),
  'minimum-kernel': option({
    form: 'N.N',
    fallback: '',
    commands: LOOKING,
    does: 'the oldest kernel for CVMs, in place of the built-in rule',
    parse: parseVersion
  }),
  'kubelet-root': option({
    form: 'DIR',
    fallback: '',
    commands: LOOKING,
    does: "the kubelet's --root-dir, where the mounts of pods do not show it",
    parse: text => (text === '' || /^(\/[^/\0]+)+$/.test(text) ? text : expected('an absolute path without a slash at its end'))
  }),
  'gpu-in-virtual-machines': option({
    form: 'deny|allow',
    fallback: 'deny',
    commands: LOOKING,
    does: 'GPUs in CVMs on nodes that are not bare metal',
    parse: oneOf('deny', 'allow')
  }),
  'shiftfs-outside-ubuntu': option({
    form: 'deny|allow',
    fallback: 'deny',
    commands: LOOKING,
    does: "self-built shiftfs on kernels that are not Ubuntu's, where a user can crash the node",
    parse: oneOf('deny', 'allow')
  }),
  'apparmor-userns': option({
    form: 'block|allow',
    fallback: 'block',
    commands: LOOKING,
    does: "Podman where AppArmor restricts user namespaces (Ubuntu 24.04's default)",
    parse: oneOf('block', 'allow')
  }),
  'selinux-podman': option({
    form: 'block|allow',
    fallback: 'block',
    commands: LOOKING,
    does: 'Podman where SELinux is enforcing',
    parse: oneOf('block', 'allow')
  }),
  'fuse-resources': option({
    form: 'LIST',
    fallback: 'github.com/fuse,berth.dev/fuse,smarter-devices/fuse,squat.ai/fuse',
    commands: [...LOOKING, 'template'],
    does: 'extended resources by which FUSE is offered to pods; an example asks for the first',
    parse: text => {
      const names = list(text)
      // None is right where pods have FUSE by an annotation only, as from CRI-O.
      return names.every(name => /^[a-z0-9.-]+\/[\w.-]+$/i.test(name))
        ? names
        : expected('resource names as domain/name, with commas between, or nothing')
    }
  }),
  'privileged-workspaces': option({
    form: 'unset|allowed|denied',
    fallback: 'unset',
    commands: LOOKING,
    does: 'whether privileged pods may run where workspaces run; unset: not asked',
    parse: oneOf('unset', 'allowed', 'denied')
  }),
  'workspace-namespace': option({
    form: 'NAME',
    fallback: '',
    commands: [...LOOKING, 'doctor'],
    does: 'the namespace of workspaces, whose Pod Security level then counts, and whose proxies and volumes doctor checks',
    parse: text => (text === '' || /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? text : expected('the name of a namespace'))
  }),
  'max-user-namespaces': option({
    form: 'N',
    fallback: '65536',
    commands: LOOKING,
    does: 'what the remedy user-namespaces raises the limit to',
    parse: text =>
      /^[1-9]\d{0,9}$/.test(text) && Number(text) <= 2147483647 ? Number(text) : expected('a whole number from 1 to 2147483647')
  }),
  interval: option({
    form: 'DURATION',
    fallback: '60s',
    commands: ['run', 'helper'],
    does: 'between two looks at the node, 10 % more or less',
    parse: parseDuration(1_000)
  }),
  heartbeat: option({
    form: 'DURATION',
    fallback: '5m',
    commands: ['run', 'doctor', 'fleet'],
    does: "between two heartbeats of the Node's condition, 10 % more or less",
    parse: parseDuration(10_000)
  }),
  'unknown-after': option({
    form: 'DURATION',
    fallback: '10m',
    commands: ['run'],
    does: 'how long a fact that cannot be read keeps its last value',
    parse: parseDuration(0)
  }),
  'startup-taint': option({
    form: 'KEY',
    fallback: 'startup-taint.cluster-autoscaler.kubernetes.io/berth',
    commands: [...ASKING, 'template', 'fleet'],
    does: 'the taint that is removed once the labels are written and read back',
    parse: text =>
      /^([a-z0-9.-]+\/)?[A-Za-z0-9][\w.-]*$/.test(text) ? text : expected("a taint's key, as in example.com/starting")
  }),
  listen: option({
    form: 'ADDRESS',
    fallback: ':9642',
    commands: ['run', 'doctor'],
    does: 'where metrics, probes and the status page are served, as host:port',
    parse: text => (/:\d{1,5}$/.test(text) ? text : expected('host:port, or :port for all addresses'))
  }),
  'log-level': option({
    form: LEVELS.join('|'),
    fallback: 'info',
    commands: ['run', 'helper'],
    does: 'the quietest events that are logged; SIGUSR2 changes it to debug and back',
    parse: oneOf<LogLevel>(...LEVELS)
  }),
  'log-format': option({
    form: 'json|pretty',
    fallback: 'json',
    commands: ['run', 'helper'],
    does: 'one line of JSON an event, or lines for people',
    parse: oneOf('json', 'pretty')
  }),
  handover: option({
    form: 'FILE',
    fallback: '/run/berth/handover.json',
    commands: ['report', 'explain', 'run', 'helper'],
    does: 'where the helper leaves what it found and did, for the others to read, in a volume that they mount',
    parse: text => (text.startsWith('/') ? text : expected('an absolute path'))
  }),
  'shiftfs-source': option({
    form: 'DIR',
    fallback: '',
    commands: ['helper'],
    does: 'sources of shiftfs, one folder for each range of kernels (k5.4, k5.10, k5.11, k5.13, k5.16, k5.17, k5.18, k6.1)',
    parse: text => text
  }),
  persist: option({
    form: '',
    fallback: 'false',
    commands: ['helper'],
    does: 'let a shiftfs that was built be loaded at the next boot too',
    parse: isOn
  }),
  undo: option({
    form: '',
    fallback: 'false',
    commands: ['helper'],
    does: 'take back what the helper did to this node, then end',
    parse: isOn
  }),
  permit: option({
    form: 'LIST',
    fallback: '',
    commands: LOOKING,
    does: `what the helper may mend; for the others, what its plan would be: ${PERMITS.join(', ')}`,
    parse: text => list(text).map(oneOf<Permit>(...PERMITS))
  })
} as const satisfies Readonly<Record<string, Option<unknown>>>

export type OptionName = keyof typeof OPTIONS
export type Options = { readonly [Name in OptionName]: ReturnType<(typeof OPTIONS)[Name]['parse']> }

/** How the output will be seen. */
export interface Screen {
  readonly color: boolean
  readonly columns: number
  /** Somebody sees it as it comes, and it can be drawn anew. */
  readonly isTerminal: boolean
}

export interface Config {
  readonly command: CommandName | 'help' | 'version'
  /** The command whose help is wanted, or empty for the program's. */
  readonly about: CommandName | ''
  /** CAPABILITY or FILE. */
  readonly operand: string
  readonly options: Options
  readonly policy: Policy
  readonly screen: Screen
}

/** Wrong options, all of them, each with the value and what was expected. Exit status 2. */
export class UsageError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'UsageError'
    this.problems = problems
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The configuration of this process. Throws `UsageError`. */
export const readConfig = (): Config => parseConfig(wordsOf(process.argv), process.env, process.stdout)

/** `kubectl berth` starts `kubectl-berth` with what follows; without a command it is the cluster that is meant, not this machine. */
export function wordsOf([, program = '', ...words]: readonly string[]): readonly string[] {
  const isPlugin = /^kubectl-berth(\.[a-z]+)?$/.test(basename(program))
  return isPlugin && parseArguments(words).positionals.length === 0 ? ['fleet', ...words] : words
}

/** Puts arguments before the environment before the defaults. Throws `UsageError` with every problem there is. */
export function parseConfig(
  argv: readonly string[],
  environment: Environment,
  stdout: { readonly isTTY?: boolean; readonly columns?: number }
): Config {
  const { values, positionals, problems } = parseArguments(argv)
  const [name = 'report', operand = '', ...extra] = positionals
  const command = Object.hasOwn(COMMANDS, name) ? (name as CommandName) : undefined
  const wanted = values.has('version') ? 'version' : values.has('help') ? 'help' : command
  const found = [
    ...problems,
    ...(command === undefined ? [`unknown command "${name}": expected ${Object.keys(COMMANDS).join(', ')}`] : []),
    ...(command === undefined || wanted === 'help' || wanted === 'version' ? [] : operandProblems(command, operand, extra)),
    ...unknownVariables(environment),
    ...(command === undefined ? [] : misplaced(command, values))
  ]
  const options = withHome(command, parseOptions(values, environment, found), environment)
  found.push(...contradictions(values, options), ...(command === undefined ? [] : impossibilities(command, options)))
  if (found.length > 0 || wanted === undefined) throw new UsageError(found)
  return Object.freeze({
    command: wanted,
    about: positionals.length > 0 ? (command ?? '') : '',
    operand,
    options,
    policy: policyOf(options),
    screen: screenOf(environment, stdout)
  })
}

interface Arguments {
  readonly values: ReadonlyMap<string, string>
  readonly positionals: readonly string[]
  readonly problems: readonly string[]
}

const BARE = ['help', 'version'] as const

function parseArguments(argv: readonly string[]): Arguments {
  const types = Object.fromEntries([
    ...Object.entries(OPTIONS).map(([name, { form }]) => [name, { type: form === '' ? 'boolean' : 'string' }] as const),
    ...BARE.map(name => [name, { type: 'boolean', ...(name === 'help' ? { short: 'h' } : {}) }] as const)
  ]) as Record<string, { type: 'boolean' | 'string' }>
  const { tokens } = parseArgs({ args: [...argv], options: types, strict: false, allowPositionals: true, tokens: true })
  const given = tokens.filter(token => token.kind === 'option')
  const problems = given.map((token, index) => {
    const type = types[token.name]?.type
    if (type === undefined)
      return `unknown option ${token.rawName}${nearest(token.name, [...Object.keys(OPTIONS), ...BARE], '--')}`
    if (type === 'string' && lacksValue(token)) return `${token.rawName} has no value: expected ${formOf(token.name)}`
    if (type === 'boolean' && token.value !== undefined) return `${token.rawName} takes no value, and "${token.value}" was given`
    return given.findIndex(({ name }) => name === token.name) < index ? `${token.rawName} is given twice` : ''
  })
  return {
    // Without those that are wrong as they stand: what they hold is no value to complain about once more.
    values: new Map(given.filter((_, index) => problems[index] === '').map(({ name, value }) => [name, value ?? 'true'])),
    positionals: tokens.filter(token => token.kind === 'positional').map(({ value }) => value),
    problems: problems.filter(problem => problem !== '')
  }
}

/** `--format --node FILE`: the next option is not this one's value. */
const lacksValue = ({
  value,
  inlineValue
}: {
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}): boolean => value === undefined || (inlineValue !== true && value.startsWith('--'))

const formOf = (name: string): string => (OPTIONS as Readonly<Record<string, Option<unknown>>>)[name]?.form ?? ''

function operandProblems(command: CommandName, operand: string, extra: readonly string[]): readonly string[] {
  const wants = COMMANDS[command].operand
  if (wants === '' && operand !== '') return [`unexpected "${operand}": ${command} takes no operand`]
  if (wants !== '' && operand === '') return [`${command} needs a ${wants}: berth ${command} ${wants}`]
  return extra.map(text => `unexpected "${text}" after ${command} ${operand}`)
}

export const environmentName = (name: string): string => `BERTH_${name.toUpperCase().replaceAll('-', '_')}`

/** kubelet puts these into every pod of a namespace that has a Service whose name begins with berth. */
const SERVICE_LINK = /^BERTH_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

function unknownVariables(environment: Environment): readonly string[] {
  const names = Object.keys(OPTIONS).map(environmentName)
  return Object.keys(environment)
    .filter(name => name.startsWith('BERTH_') && !names.includes(name) && !SERVICE_LINK.test(name))
    .map(name => `unknown environment variable ${name}${nearest(name, names, '')}`)
}

const misplaced = (command: CommandName, values: ReadonlyMap<string, string>): readonly string[] =>
  [...values.keys()]
    .filter(name => Object.hasOwn(OPTIONS, name))
    .filter(name => !(OPTIONS[name as OptionName].commands as readonly CommandName[]).includes(command))
    .map(name => `--${name} is not for ${command}: it belongs to ${OPTIONS[name as OptionName].commands.join(', ')}`)

/** What the options of a command allow one by one, and not together. */
function impossibilities(command: CommandName, options: Options): readonly string[] {
  const { format } = options
  if (command === 'fleet') return fleetImpossibilities(options)
  const isOfFleet =
    (format === 'csv' || format === 'html') && (OPTIONS.format.commands as readonly CommandName[]).includes(command)
  return isOfFleet ? [`--format ${format} is not for ${command}: expected table or json`] : []
}

function fleetImpossibilities({ format, autoscaler, watch, capability, why }: Options): readonly string[] {
  const isPrinted = format === 'csv' || format === 'html'
  const both = (one: string, other: string) => `${one} and ${other} exclude each other: give one of them`
  return [
    ...(autoscaler && isPrinted ? [`--format ${format} is not for --autoscaler: expected table or json`] : []),
    ...(autoscaler && capability !== '' ? [both('--autoscaler', '--capability')] : []),
    ...(autoscaler && why ? [both('--autoscaler', '--why')] : []),
    ...(watch && autoscaler ? [both('--watch', '--autoscaler')] : []),
    ...(watch && why ? [both('--watch', '--why')] : []),
    ...(watch && format !== 'table' ? [`--watch prints a table, and --format is "${format}"`] : [])
  ]
}

/** NODE_NAME is set in every pod of ours, and says nothing against --all-nodes. */
const contradictions = (values: ReadonlyMap<string, string>, options: Options): readonly string[] =>
  options['all-nodes'] && values.has('node-name') ? ['--all-nodes and --node-name exclude each other: give one of them'] : []

function parseOptions(values: ReadonlyMap<string, string>, environment: Environment, problems: string[]): Options {
  const entries = (Object.entries(OPTIONS) as [OptionName, Option<unknown>][]).map(
    ([name, { parse, fallback, environment: other }]) => {
      const [source, text] = [
        [`--${name}`, values.get(name)] as const,
        [environmentName(name), environment[environmentName(name)]] as const,
        [other ?? '', other === undefined ? undefined : environment[other]] as const
      ].find(([, value]) => value !== undefined) ?? ['', undefined]
      try {
        return [name, parse(text ?? fallback)] as const
      } catch (error) {
        problems.push(`${source} is "${text}": ${(error as Error).message}`)
        return [name, undefined] as const
      }
    }
  )
  return Object.freeze(Object.fromEntries(entries)) as unknown as Options
}

/** A person at a terminal means the cluster that kubectl means. What changes a cluster wants it to be said. */
function withHome(command: CommandName | undefined, options: Options, environment: Environment): Options {
  const { HOME: home, KUBERNETES_SERVICE_HOST: pod } = environment
  if (command !== 'fleet' || options.kubeconfig !== '' || !home || pod) return options
  return Object.freeze({ ...options, kubeconfig: `${home}/.kube/config` })
}

const policyOf = (options: Options): Policy =>
  Object.freeze({
    minimumKernel: options['minimum-kernel'],
    gpuInVirtualMachines: options['gpu-in-virtual-machines'],
    shiftfsOutsideUbuntu: options['shiftfs-outside-ubuntu'],
    apparmorUserns: options['apparmor-userns'],
    selinuxPodman: options['selinux-podman'],
    fuseResources: options['fuse-resources'],
    kubeletRoot: options['kubelet-root'],
    privilegedWorkspaces: options['privileged-workspaces'],
    workspaceNamespace: options['workspace-namespace']
  })

/** Colours go to a terminal only, and never against NO_COLOR (no-color.org). */
function screenOf(environment: Environment, { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): Screen {
  const width = isTTY ? columns : Number(environment['COLUMNS'] ?? '')
  return {
    color: isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb',
    columns: Math.min(200, Math.max(40, width || 80)),
    isTerminal: isTTY === true && environment['TERM'] !== 'dumb'
  }
}

function parsePrefix(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/.test(text) || text.length > 253) {
    return expected('a DNS domain, as in berth.dev')
  }
  const reserved = reservedDomain(text)
  return reserved === undefined ? text : expected(`a domain of your own: ${reserved.domain} belongs to ${reserved.owner}`)
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Milliseconds. */
function parseDuration(least: number): (text: string) => number {
  return text => {
    const [, count = '', unit = ''] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? []
    const duration = Number(count) * (UNITS[unit] ?? Number.NaN)
    return duration >= least && duration <= 86_400_000
      ? duration
      : expected(`a duration from ${least / 1000}s to 24h, as in 90s or 5m`)
  }
}

function parseVersion(text: string): Version | undefined {
  if (text === '') return undefined
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})$/.exec(text) ?? []
  return major === undefined || minor === undefined
    ? expected('a kernel version as N.N, for example 5.15')
    : [Number(major), Number(minor)]
}

/** The known name that a misspelt one probably means. */
function nearest(name: string, names: readonly string[], dashes: string): string {
  const [best] = names
    .map(candidate => ({ candidate, distance: distance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= 3 ? `: did you mean ${dashes}${best.candidate}?` : ''
}

/** Levenshtein's distance, one row at a time. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, char] of [...from].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...to].entries()) {
      next.push(Math.min((row[j] as number) + (char === other ? 0 : 1), (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
