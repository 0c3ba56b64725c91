import { describe, expect, test } from 'vitest'
import { COMMAND_NAMES, COMMANDS, type CommandName } from '../../../src/cli/commands.ts'
import { argumentsOf, type Config, parseConfig } from '../../../src/cli/config.ts'
import { type Environment, environmentName } from '../../../src/cli/environment.ts'
import { OPTIONS, type OptionName } from '../../../src/cli/options/all.ts'
import type { Option } from '../../../src/cli/options/option.ts'
import { UsageError } from '../../../src/cli/usage-error.ts'

const parse = (
  argv: readonly string[],
  environment: Environment = {},
  stdout: { isTTY?: boolean; columns?: number } = {}
): Config => parseConfig(argv, environment, stdout)

/** Every problem that is reported for these arguments and this environment. */
function problems(argv: readonly string[], environment: Environment = {}): readonly string[] {
  try {
    parse(argv, environment)
  } catch (error) {
    if (error instanceof UsageError) return error.problems
    throw error
  }
  throw new Error(`${JSON.stringify(argv)} was accepted`)
}

const NAMES = Object.keys(OPTIONS) as OptionName[]
const OPTION_TABLE = OPTIONS as Readonly<Record<OptionName, Option<unknown>>>
const operandOf = (name: CommandName): readonly string[] => (COMMANDS[name].operand === '' ? [] : ['cvm'])
const commandFor = (name: OptionName): CommandName => OPTION_TABLE[name].commands[0] as CommandName

/** A value for each option with one, other than its default. */
const OTHERS: Readonly<Partial<Record<OptionName, string>>> = {
  'host-root': '/x',
  node: 'n.yaml',
  format: 'json',
  capability: 'gpu',
  'pool-label': 'example.com/pool',
  as: 'terraform',
  kubeconfig: '/k',
  'node-name': 'n-1',
  'label-prefix': 'x.example',
  'minimum-kernel': '5.4',
  'kubelet-root': '/data/kubelet',
  offer: 'kvm,tun',
  'fuse-slots': '64',
  'plugin-directory': '/x/device-plugins',
  'gpu-in-virtual-machines': 'allow',
  'shiftfs-outside-ubuntu': 'allow',
  'apparmor-userns': 'allow',
  'selinux-podman': 'allow',
  'fuse-resources': 'a.b/c',
  'kvm-resources': 'a.b/c',
  'privileged-workspaces': 'allowed',
  'workspace-namespace': 'ws',
  'max-user-namespaces': '7',
  interval: '7s',
  heartbeat: '7m',
  'unknown-after': '7m',
  'startup-taint': 'example.com/starting',
  listen: ':7',
  'log-level': 'debug',
  'log-format': 'pretty',
  handover: '/h',
  'shiftfs-source': '/s',
  permit: 'shiftfs'
}

describe('without arguments', () => {
  test('berth reports on the machine it runs on, with the safe side of every choice', () => {
    expect(parse([])).toMatchObject({
      command: 'report',
      about: '',
      operand: '',
      options: {
        'host-root': '/',
        node: '',
        format: 'table',
        once: false,
        kubeconfig: '',
        'node-name': '',
        'label-prefix': 'berth.dev',
        'minimum-kernel': undefined,
        'fuse-resources': ['berth.dev/fuse', 'github.com/fuse', 'smarter-devices/fuse', 'squat.ai/fuse'],
        'kvm-resources': ['berth.dev/kvm', 'devices.kubevirt.io/kvm', 'squat.ai/kvm', 'smarter-devices/kvm'],
        'max-user-namespaces': 65_536,
        permit: []
      },
      policy: {
        minimumKernel: undefined,
        gpuInVirtualMachines: 'deny',
        shiftfsOutsideUbuntu: 'deny',
        apparmorUserns: 'block',
        selinuxPodman: 'block',
        privilegedWorkspaces: 'unset',
        workspaceNamespace: ''
      }
    })
  })

  test('the configuration is frozen', () => {
    const config = parse([])
    for (const part of [config, config.options, config.policy]) expect(Object.isFrozen(part)).toBe(true)
  })
})

describe('a value', () => {
  test('comes from the argument, else from BERTH_, else from the usual variable, else from the default', () => {
    const all = { BERTH_NODE_NAME: 'ours', NODE_NAME: 'usual', BERTH_KUBECONFIG: '/ours', KUBECONFIG: '/usual' }
    const of = (argv: readonly string[], environment: Environment) => {
      const { options } = parse(['run', ...argv], environment)
      return [options['node-name'], options.kubeconfig]
    }
    expect(of(['--node-name', 'given', '--kubeconfig=/given'], all)).toEqual(['given', '/given'])
    expect(of([], all)).toEqual(['ours', '/ours'])
    expect(of([], { NODE_NAME: 'usual', KUBECONFIG: '/usual' })).toEqual(['usual', '/usual'])
    expect(of([], {})).toEqual(['', ''])
  })

  test.each([
    ['--option=value', ['--format=json']],
    ['--option value', ['--format', 'json']],
    ['after the command', ['report', '--format', 'json']],
    ['before the command', ['--format', 'json', 'report']]
  ])('is taken as %s', (_, argv) => {
    expect(parse(argv).options.format).toBe('json')
  })

  test('may hold an equals sign, or begin with a dash after one', () => {
    expect(parse(['--host-root=/a=b']).options['host-root']).toBe('/a=b')
    expect(parse(['--host-root=--odd']).options['host-root']).toBe('--odd')
  })

  test.each(NAMES.filter(name => OPTION_TABLE[name].form !== ''))(
    'of --%s is read from its variable as from its argument',
    name => {
      const value = OTHERS[name] as string
      const command = commandFor(name)
      const argv = [command, ...operandOf(command)]
      const given = parse([...argv, `--${name}=${value}`]).options[name]
      expect(given).not.toEqual(parse(argv).options[name])
      expect(parse(argv, { [environmentName(name)]: value }).options[name]).toEqual(given)
    }
  )

  test.each<[string, OptionName, string, unknown]>([
    ['a kernel', 'minimum-kernel', '5.15', [5, 15]],
    ['another kernel', 'minimum-kernel', '10.0', [10, 0]],
    ['the greatest number', 'max-user-namespaces', '2147483647', 2_147_483_647],
    ['the least number', 'max-user-namespaces', '1', 1],
    ['a list', 'fuse-resources', 'a.b/c, d.e/f,', ['a.b/c', 'd.e/f']],
    ['no list', 'fuse-resources', '', []],
    ['permits', 'permit', 'shiftfs,user-namespaces', ['shiftfs', 'user-namespaces']],
    ['no permits', 'permit', '', []],
    ['a domain', 'label-prefix', 'berth.example.com', 'berth.example.com'],
    ['a domain that only sounds reserved', 'label-prefix', 'mykubernetes.io', 'mykubernetes.io'],
    ['another such', 'label-prefix', 'k8s.io.example.com', 'k8s.io.example.com'],
    ['a domain that ends like one of another', 'label-prefix', 'notnvidia.com', 'notnvidia.com'],
    ['a domain below which others own theirs', 'label-prefix', 'workspaces.google.com', 'workspaces.google.com'],
    ['a namespace', 'workspace-namespace', 'coder-workspaces', 'coder-workspaces'],
    ['a Node of EKS', 'node-name', 'ip-10-0-33-51.us-west-2.compute.internal', 'ip-10-0-33-51.us-west-2.compute.internal']
  ])('that is %s is understood', (_, name, text, value) => {
    expect(parse(['run', `--${name}`, text]).options[name]).toEqual(value)
  })

  test('reaches the rules', () => {
    const { policy } = parse([
      '--minimum-kernel=5.4',
      '--gpu-in-virtual-machines=allow',
      '--shiftfs-outside-ubuntu=allow',
      '--apparmor-userns=allow',
      '--selinux-podman=allow',
      '--fuse-resources=a.b/c',
      '--kvm-resources=d.e/f',
      '--kubelet-root=/data/kubelet',
      '--privileged-workspaces=allowed',
      '--workspace-namespace=ws'
    ])
    expect(policy).toEqual({
      minimumKernel: [5, 4],
      gpuInVirtualMachines: 'allow',
      shiftfsOutsideUbuntu: 'allow',
      apparmorUserns: 'allow',
      selinuxPodman: 'allow',
      fuseResources: ['a.b/c'],
      kvmResources: ['d.e/f'],
      kubeletRoot: '/data/kubelet',
      privilegedWorkspaces: 'allowed',
      workspaceNamespace: 'ws'
    })
  })

  test('of a switch is taken from its presence, or from its variable', () => {
    expect(parse(['run', '--once']).options.once).toBe(true)
    expect(parse(['run'], { BERTH_ONCE: 'true' }).options.once).toBe(true)
    expect(parse(['run'], { BERTH_ONCE: 'false' }).options.once).toBe(false)
    expect(parse(['run', '--once'], { BERTH_ONCE: 'false' }).options.once).toBe(true)
  })
})

const ownedByOthers = (prefix: string): [OptionName, string, string] => ['label-prefix', prefix, 'expected a domain of your own']

describe('a wrong value', () => {
  test.each<[OptionName, string, string]>([
    ['host-root', '', 'a directory or a recorded node'],
    ['format', 'yaml', 'expected table, json, csv or html'],
    ['format', 'JSON', 'expected table, json, csv or html'],
    ['as', 'yaml', 'pod, terraform or nodepool'],
    ['capability', 'cached', 'expected cvm, cached-cvm, gpu, gpu-cvm, podman, sysbox, userns, kvm or privileged'],
    ['pool-label', 'a b', 'the key of a label, such as example.com/pool'],
    ['node-name', 'Not_A_Node', 'the name of a Node'],
    ['node-name', '-a', 'the name of a Node'],
    ['label-prefix', 'kubernetes.io', 'kubernetes.io belongs to Kubernetes'],
    ['label-prefix', 'node-restriction.kubernetes.io', 'kubernetes.io belongs to Kubernetes'],
    ['label-prefix', 'k8s.io', 'k8s.io belongs to Kubernetes'],
    ['label-prefix', 'x.k8s.io', 'k8s.io belongs to Kubernetes'],
    ['label-prefix', 'a.b.kubernetes.io', 'kubernetes.io belongs to Kubernetes'],
    ...['karpenter.sh', 'eks.amazonaws.com', 'cloud.google.com', 'kubernetes.azure.com', 'nvidia.com', 'openshift.io'].map(
      ownedByOthers
    ),
    ...['x.karpenter.sh', 'alpha.eksctl.io', 'gpu.intel.com', 'oci.oraclecloud.com', 'rke.cattle.io'].map(ownedByOthers),
    ['label-prefix', 'karpenter.sh', 'karpenter.sh belongs to Karpenter'],
    ['label-prefix', '', 'a DNS domain'],
    ['label-prefix', 'berth', 'a DNS domain'],
    ['label-prefix', 'Berth.dev', 'a DNS domain'],
    ['label-prefix', 'berth.dev/', 'a DNS domain'],
    ['label-prefix', '-a.dev', 'a DNS domain'],
    ['label-prefix', `${'a'.repeat(64)}.dev`, 'a DNS domain'],
    ['label-prefix', Array.from({ length: 64 }, () => 'abc').join('.'), 'a DNS domain'],
    ['minimum-kernel', '5', 'a kernel version as N.N'],
    ['minimum-kernel', '5.15.0', 'a kernel version as N.N'],
    ['minimum-kernel', 'v5.15', 'a kernel version as N.N'],
    ['minimum-kernel', '5.1500', 'a kernel version as N.N'],
    ['gpu-in-virtual-machines', 'yes', 'deny or allow'],
    ['shiftfs-outside-ubuntu', 'true', 'deny or allow'],
    ['apparmor-userns', 'deny', 'block or allow'],
    ['selinux-podman', '', 'block or allow'],
    ['kubelet-root', 'data/kubelet', 'an absolute path'],
    ['kubelet-root', '/data/', 'an absolute path'],
    ['kubelet-root', '/', 'an absolute path'],
    ['fuse-resources', 'fuse', 'domain/name'],
    ['fuse-resources', 'a/b c/d', 'domain/name'],
    ['privileged-workspaces', 'allow', 'unset, allowed or denied'],
    ['workspace-namespace', 'My_Space', 'the name of a namespace'],
    ['workspace-namespace', 'a'.repeat(64), 'the name of a namespace'],
    ['max-user-namespaces', '0', 'a whole number from 1'],
    ['max-user-namespaces', '-5', 'a whole number from 1'],
    ['max-user-namespaces', '2147483648', 'a whole number from 1'],
    ['max-user-namespaces', '1e5', 'a whole number from 1'],
    ['max-user-namespaces', '65536.5', 'a whole number from 1'],
    ['permit', 'everything', 'user-namespaces, user-namespaces-anywhere, modules or shiftfs'],
    ['permit', 'shiftfs,all', 'user-namespaces, user-namespaces-anywhere, modules or shiftfs']
  ])('of --%s, %j, is reported with what was expected', (name, text, expected) => {
    const command = commandFor(name)
    const argv = [command, ...operandOf(command)]
    const [problem, ...more] = problems([...argv, `--${name}=${text}`])
    expect(more).toEqual([])
    expect(problem).toContain(`--${name} is "${text}"`)
    expect(problem).toContain(expected)
    const [same] = problems(argv, { [environmentName(name)]: text })
    expect(same).toContain(`${environmentName(name)} is "${text}"`)
    expect(same).toContain(expected)
  })

  test('of the usual variable names that variable', () => {
    expect(problems(['run'], { NODE_NAME: 'Not_A_Node' })).toEqual([expect.stringContaining('NODE_NAME is "Not_A_Node"')])
  })

  test('of a switch is reported too', () => {
    expect(problems(['run', '--once=yes'])).toEqual(['--once is "yes": it is a switch and takes no value'])
    expect(problems(['run'], { BERTH_ONCE: 'yes' })).toEqual([
      expect.stringContaining('BERTH_ONCE is "yes": expected true or false')
    ])
  })

  test.each([
    [['--format'], '--format has no value: expected table|json|csv|html'],
    [['--format', '--node=x'], '--format has no value: expected table|json|csv|html'],
    [['report', '--host-root'], '--host-root has no value: expected DIR']
  ])('that is missing in %j is reported with its form', (argv, problem) => {
    expect(problems(argv)).toEqual([problem])
  })
})

describe('one Node or all of them', () => {
  test('cannot be had together', () => {
    const problem = '--all-nodes and --node-name cannot be used together: remove one of them'
    expect(problems(['uninstall', '--all-nodes', '--node-name=n1'])).toEqual([problem])
    expect(problems(['uninstall', '--node-name=n1'], { BERTH_ALL_NODES: 'true' })).toEqual([problem])
  })

  test('all, though every pod of ours has NODE_NAME', () => {
    for (const name of ['NODE_NAME', 'BERTH_NODE_NAME'])
      expect(parse(['uninstall', '--all-nodes'], { [name]: 'n1' }).options['all-nodes']).toBe(true)
  })
})

describe('all problems', () => {
  test('are reported at once, each with its option, its value and what was expected', () => {
    const found = problems(['report', 'extra', '--format=xml', '--label-prefix=k8s.io', '--hostroot=/', '--once'], {
      BERTH_MINIMUM_KERNEL: 'old',
      BERTH_COLOUR: 'red'
    })
    for (const part of [
      '"extra"',
      '--format is "xml"',
      '--label-prefix is "k8s.io"',
      '--hostroot',
      '--once is not an option of report: use it with run or helper',
      'BERTH_MINIMUM_KERNEL is "old"',
      'BERTH_COLOUR'
    ]) {
      expect(found.filter(problem => problem.includes(part))).toHaveLength(1)
    }
    expect(found).toHaveLength(7)
  })

  test('are one sentence each', () => {
    for (const problem of problems(['nothing', '--a', '--format=b', '--node'])) expect(problem).toMatch(/^[^\n]+$/)
  })
})

describe('an unknown', () => {
  test.each([
    ['--hostroot', '--host-root'],
    ['--formt', '--format'],
    ['--Format', '--format'],
    ['--nodename', '--node-name'],
    ['--hlep', '--help'],
    ['--verison', '--version'],
    ['--min-kernel', undefined],
    ['--everything-else', undefined]
  ])('option %s is reported with the one that was probably meant', (option, meant) => {
    const [problem] = problems([`${option}=x`])
    expect(problem).toContain(`unknown option ${option}`)
    expect(problem?.includes('did you mean')).toBe(meant !== undefined)
    if (meant !== undefined) expect(problem).toContain(`did you mean ${meant}?`)
  })

  test('short option is reported', () => {
    expect(problems(['-x'])).toEqual([expect.stringContaining('unknown option -x')])
  })

  test.each([
    ['BERTH_HOSTROOT', 'BERTH_HOST_ROOT'],
    ['BERTH_LABELPREFIX', 'BERTH_LABEL_PREFIX'],
    ['BERTH_WHATEVER_THIS_IS', undefined],
    ['BERTH_', 'BERTH_AS']
  ])('variable %s is reported', (name, meant) => {
    const [problem] = problems([], { [name]: '1' })
    expect(problem).toContain(`unknown environment variable ${name}`)
    expect(problem?.includes('did you mean')).toBe(meant !== undefined)
    if (meant !== undefined) expect(problem).toContain(`did you mean ${meant}?`)
  })

  test.each([
    ['reprot', 'report'],
    ['explian', 'explain'],
    ['Fleet', 'fleet']
  ])('command %s is reported with the one that was probably meant', (name, meant) => {
    expect(problems([name])).toEqual([`unknown command "${name}": did you mean ${meant}?`])
  })

  test.each(['nothing', 'constructor', 'x'])('command %s that resembles none is reported with all there are', name => {
    const all = 'report, explain, run, record, template, helper, devices, doctor, fleet or uninstall'
    expect(problems([name])).toEqual([`unknown command "${name}": expected ${all}`])
  })
})

describe('the word after an unknown option', () => {
  test.each([
    [['report', '--minimum-kernl', '5.4'], ['unknown option --minimum-kernl: did you mean --minimum-kernel?']],
    [['--minimum-kernl', '5.4'], ['unknown option --minimum-kernl: did you mean --minimum-kernel?']],
    [['--minimum-kernl', '5.4', 'report'], ['unknown option --minimum-kernl: did you mean --minimum-kernel?']],
    [['report', '--completely-different', '5.4'], ['unknown option --completely-different']],
    [['report', '-x', '5.4'], ['unknown option -x']],
    [['explain', '--completely-different', 'cvm'], ['unknown option --completely-different']]
  ])('is not a second problem in %j', (argv, expected) => {
    expect(problems(argv)).toEqual(expected)
  })

  test.each([
    [['report', '--minimum-kernl', '5.4', 'extra'], 'unexpected argument "extra": report takes none'],
    [['report', '--minimum-kernl=5.4', 'extra'], 'unexpected argument "extra": report takes none'],
    [['report', '--completely-different=5.4', 'extra'], 'unexpected argument "extra": report takes none'],
    [['run', '--onec', 'extra'], 'unexpected argument "extra": run takes none'],
    [['explain', '--minimum-kernl', '5.4'], 'explain needs a CAPABILITY: berth explain CAPABILITY'],
    [
      ['--completely-different', 'run', '--format=json'],
      '--format is not an option of run: use it with report, explain, doctor or fleet'
    ]
  ])('hides no other problem in %j', (argv, other) => {
    const [unknown, ...more] = problems(argv)
    expect(unknown).toContain('unknown option')
    expect(more).toEqual([other])
  })
})

describe('the help that an error points to', () => {
  const pointsTo = (argv: readonly string[]) => {
    try {
      parse(argv)
    } catch (error) {
      return (error as UsageError).command
    }
    throw new Error(`${JSON.stringify(argv)} was accepted`)
  }

  test.each([
    [['fleet', '--wy'], 'fleet'],
    [['--wy', 'fleet'], 'fleet'],
    [['--wy'], undefined],
    [['reprot', '--wy'], undefined]
  ])('for %j is that of %s', (argv, command) => {
    expect(pointsTo(argv)).toBe(command)
  })
})

describe('the environment', () => {
  test.each([
    ['BERTH_SERVICE_HOST'],
    ['BERTH_SERVICE_PORT'],
    ['BERTH_SERVICE_PORT_HTTP'],
    ['BERTH_PORT'],
    ['BERTH_PORT_9100_TCP'],
    ['BERTH_PORT_9100_TCP_ADDR'],
    ['BERTH_PORT_9100_TCP_PORT'],
    ['BERTH_PORT_9100_TCP_PROTO'],
    ['BERTH_PORT_53_UDP_ADDR'],
    ['BERTH_METRICS_SERVICE_HOST'],
    ['BERTH_METRICS_SERVICE_PORT_HTTP'],
    ['BERTH_METRICS_PORT_9100_TCP_ADDR']
  ])('may hold %s, which kubelet puts there for a Service named berth', name => {
    expect(parse([], { [name]: 'tcp://10.96.0.10:9100' }).command).toBe('report')
  })

  test('may hold anything that is not ours', () => {
    expect(parse([], { PATH: '/bin', MYBERTH_X: '1', berth_x: '1', NODE_OPTIONS: '' }).command).toBe('report')
  })
})

describe('a command', () => {
  test.each<[CommandName, readonly string[], string]>([
    ['report', ['report'], ''],
    ['explain', ['explain', 'cvm'], 'cvm'],
    ['record', ['record', 'node.yaml'], 'node.yaml'],
    ['run', ['run', '--once'], ''],
    ['fleet', ['fleet', '--why'], '']
  ])('%s is recognised by its name', (command, argv, operand) => {
    expect(parse(argv)).toMatchObject({ command, operand, about: command })
  })

  test.each([
    [['explain'], 'explain needs a CAPABILITY: berth explain CAPABILITY'],
    [['record'], 'record needs a FILE: berth record FILE'],
    [['report', 'cvm'], 'unexpected argument "cvm": report takes none'],
    [['run', 'cvm'], 'unexpected argument "cvm": run takes none'],
    [['explain', 'cvm', 'gpu'], 'unexpected argument "gpu": explain takes one CAPABILITY'],
    [['report', '--', '--format'], 'unexpected argument "--format"'],
    [['--node', 'a', '--node', 'b'], '--node is given twice'],
    [['run', '--once', '--once'], '--once is given twice']
  ])('%j is refused with what is wrong', (argv, problem) => {
    expect(problems(argv)).toEqual([expect.stringContaining(problem)])
  })

  test.each(
    NAMES.flatMap(name =>
      COMMAND_NAMES.filter(command => !OPTION_TABLE[name].commands.includes(command)).map(command => [name, command] as const)
    )
  )('is refused the option of another: --%s with %s', (name, command) => {
    const value = OPTION_TABLE[name].form === '' ? [] : [OPTION_TABLE[name].fallback]
    const found = problems([command, ...operandOf(command), [`--${name}`, ...value].join('=')])
    expect(found).toEqual([expect.stringMatching(`^--${name} is not an option of ${command}: use it with .`)])
  })

  test('ignores a variable that is for another', () => {
    expect(parse(['report'], { BERTH_ONCE: 'true', BERTH_KUBECONFIG: '/k', KUBECONFIG: '/k' }).command).toBe('report')
    expect(parse(['run'], { BERTH_FORMAT: 'csv' }).command).toBe('run')
  })
})

describe('fleet', () => {
  test.each([
    [['report', '--format=csv'], '--format is "csv": report prints table or json only'],
    [['explain', 'cvm', '--format=html'], '--format is "html": explain prints table or json only'],
    [['fleet', '--autoscaler', '--format=csv'], '--format is "csv": --autoscaler prints table or json only'],
    [['fleet', '--autoscaler', '--capability=gpu'], '--autoscaler and --capability cannot be used together: remove one of them'],
    [['fleet', '--autoscaler', '--why'], '--autoscaler and --why cannot be used together: remove one of them'],
    [['fleet', '--autoscaler', '--watch'], '--watch and --autoscaler cannot be used together: remove one of them'],
    [['fleet', '--watch', '--why'], '--watch and --why cannot be used together: remove one of them'],
    [['fleet', '--watch', '--format=json'], '--format is "json": --watch prints a table only']
  ])('%j is refused with what does not go together', (argv, problem) => {
    expect(problems(argv)).toEqual([problem])
  })

  test('and a wrong format is one problem, not two', () => {
    expect(problems(['fleet', '--watch', '--format=xml'])).toEqual(['--format is "xml": expected table, json, csv or html'])
  })

  test('takes every format, with a capability and with reasons', () => {
    for (const format of ['table', 'json', 'csv', 'html'] as const)
      expect(parse(['fleet', '--format', format, '--why', '--capability=gpu-cvm']).options).toMatchObject({ format, why: true })
  })

  test.each<[string, Environment, string]>([
    ['means the cluster that kubectl means', { HOME: '/home/me' }, '/home/me/.kube/config'],
    ['but in a pod its own', { HOME: '/root', KUBERNETES_SERVICE_HOST: '10.0.0.1' }, ''],
    ['and what is given takes precedence', { HOME: '/home/me', KUBECONFIG: '/k' }, '/k']
  ])('%s', (_, environment, kubeconfig) => {
    expect(parse(['fleet'], environment).options.kubeconfig).toBe(kubeconfig)
  })

  test('is the only command with a default cluster: commands that write need one to be named', () => {
    for (const command of ['uninstall', 'doctor']) expect(parse([command], { HOME: '/home/me' }).options.kubeconfig).toBe('')
  })
})

test.each([
  ['/usr/local/bin/kubectl-berth --why', 'fleet --why'],
  ['/bin/kubectl-berth.mjs', 'fleet'],
  ['/bin/kubectl-berth --capability cvm', 'fleet --capability cvm'],
  ['/bin/kubectl-berth doctor', 'doctor'],
  ['/bin/kubectl-berth --capabilty cvm', 'fleet --capabilty cvm'],
  ['/bin/kubectl-berth --version', 'fleet --version'],
  ['/app/berth.mjs --why', '--why']
])('%s means %s', (called, meant) => {
  expect(argumentsOf(['node', ...called.split(' ')])).toEqual(meant.split(' '))
})

describe('help and version', () => {
  test.each([
    [['--help'], 'help', ''],
    [['-h'], 'help', ''],
    [['run', '--help'], 'help', 'run'],
    [['--help', 'run'], 'help', 'run'],
    [['explain', '-h'], 'help', 'explain'],
    [['--version'], 'version', '']
  ] as const)('%j is %s', (argv, command, about) => {
    expect(parse(argv)).toMatchObject({ command, about })
  })

  test('with anything wrong beside them are refused with it', () => {
    expect(problems(['--help', '--nonsense'])).toHaveLength(1)
    expect(problems(['nothing', '--help'])).toHaveLength(1)
    expect(problems(['--help=yes'])).toEqual([expect.stringContaining('--help is "yes"')])
  })
})

describe('the screen', () => {
  test.each<[string, { isTTY?: boolean; columns?: number }, Environment, boolean, number]>([
    ['a terminal', { isTTY: true, columns: 120 }, {}, true, 120],
    ['a wide terminal', { isTTY: true, columns: 500 }, {}, true, 200],
    ['a tiny terminal', { isTTY: true, columns: 10 }, {}, true, 40],
    ['a terminal that does not say', { isTTY: true }, {}, true, 80],
    ['a terminal without a width', { isTTY: true, columns: 0 }, {}, true, 80],
    ['a terminal with NO_COLOR', { isTTY: true, columns: 80 }, { NO_COLOR: '1' }, false, 80],
    ['a terminal with an empty NO_COLOR', { isTTY: true, columns: 80 }, { NO_COLOR: '' }, true, 80],
    ['a dumb terminal', { isTTY: true, columns: 80 }, { TERM: 'dumb' }, false, 80],
    ['a pipe', {}, {}, false, 80],
    ['a pipe with COLUMNS', {}, { COLUMNS: '132' }, false, 132],
    ['a pipe with strange COLUMNS', {}, { COLUMNS: 'wide' }, false, 80],
    ['a pipe with negative COLUMNS', {}, { COLUMNS: '-3' }, false, 40],
    ['a terminal, whatever COLUMNS says', { isTTY: true, columns: 100 }, { COLUMNS: '132' }, true, 100]
  ])('of %s', (_, stdout, environment, color, columns) => {
    const isTerminal = stdout.isTTY === true && environment['TERM'] !== 'dumb'
    expect(parse([], environment, stdout).screen).toEqual({ color, columns, isTerminal })
  })
})
