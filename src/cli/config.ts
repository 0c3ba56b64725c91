import { basename } from 'node:path'
import process from 'node:process'
import type { Policy } from '../verdicts/policy.ts'
import { type CommandName, isCommand } from './commands.ts'
import { type Environment, unknownVariables } from './environment.ts'
import { optionValues } from './option-values.ts'
import type { Options } from './options/all.ts'
import { type Arguments, parseArguments } from './parse.ts'
import { type Output, type Screen, screenOf } from './screen.ts'
import { UsageError } from './usage-error.ts'
import { contradictions, misplacedOptions, operandProblems, unknownCommand, wrongCombinations } from './validate.ts'

/** What this process was asked to do. */
export interface Config {
  readonly command: CommandName | 'help' | 'version'
  /** The command whose help is wanted. Empty: the help of the program. */
  readonly about: CommandName | ''
  /** CAPABILITY or FILE. */
  readonly operand: string
  readonly options: Options
  readonly policy: Policy
  readonly screen: Screen
}

/** The configuration of this process. Throws `UsageError`. */
export const readConfig = (): Config => parseConfig(argumentsOf(process.argv), process.env, process.stdout)

/** `kubectl berth` starts `kubectl-berth`. Without a command it means `fleet`, because users of kubectl want to see the cluster. */
export function argumentsOf([, program = '', ...argv]: readonly string[]): readonly string[] {
  const isPlugin = /^kubectl-berth(\.[a-z]+)?$/.test(basename(program))
  return isPlugin && parseArguments(argv).words.length === 0 ? ['fleet', ...argv] : argv
}

/** Arguments take precedence over the environment, and the environment over the defaults. Throws `UsageError` with all problems. */
export function parseConfig(argv: readonly string[], environment: Environment, stdout: Output): Config {
  const parsed = parseArguments(argv)
  const [name = 'report', operand = ''] = parsed.words
  const command = isCommand(name) ? name : undefined
  const { options, problems } = optionValues(parsed.values, environment)
  const found = [
    ...parsed.problems,
    ...(command === undefined ? [unknownCommand(name)] : []),
    ...(command === undefined || asksForText(parsed) ? [] : operandProblems(command, parsed)),
    ...unknownVariables(environment),
    ...(command === undefined ? [] : misplacedOptions(command, parsed.values)),
    ...problems,
    ...contradictions(parsed.values, options),
    ...(command === undefined ? [] : wrongCombinations(command, options))
  ]
  if (found.length > 0 || command === undefined) throw new UsageError(found, parsed.words.length > 0 ? command : undefined)
  return Object.freeze({
    command: asksForText(parsed) ?? command,
    about: parsed.words.length > 0 ? command : '',
    operand,
    options: withUsersKubeconfig(command, options, environment),
    policy: policyOf(options),
    screen: screenOf(environment, stdout)
  })
}

const asksForText = ({ values }: Arguments): 'version' | 'help' | undefined =>
  values.has('version') ? 'version' : values.has('help') ? 'help' : undefined

/** `fleet` outside of a pod uses the cluster that kubectl uses. A command that writes requires the cluster to be named. */
function withUsersKubeconfig(command: CommandName, options: Options, environment: Environment): Options {
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
    kvmResources: options['kvm-resources'],
    kubeletRoot: options['kubelet-root'],
    privilegedWorkspaces: options['privileged-workspaces'],
    workspaceNamespace: options['workspace-namespace']
  })
