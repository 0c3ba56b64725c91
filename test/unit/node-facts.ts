import { ALL_FACTS } from '../../src/facts/all.ts'
import type { Known, Unknown } from '../../src/facts/fact.ts'
import { MODULE_NAMES, type ModuleName } from '../../src/facts/kernel-modules/names.ts'
import type { ModuleState } from '../../src/facts/kernel-modules/state.ts'
import type { FactName, NodeFacts } from '../../src/facts/observe.ts'
import { type Proof, type Proofs, type TrialName, untried } from '../../src/facts/proofs.ts'
import type { Storage } from '../../src/facts/storage.ts'
import type { Policy } from '../../src/verdicts/policy.ts'
import type { Answer, Verdict } from '../../src/verdicts/verdict.ts'

export type Values = { readonly [Name in FactName]: Extract<NodeFacts[Name], { known: true }>['value'] }

export const known = <T>(value: T): Known<T> => ({ known: true, value, evidence: [] })
export const unknown = (why = 'nobody could read it'): Unknown => ({ known: false, why, evidence: [] })

export const modules = (changes: Partial<Record<ModuleName, ModuleState['state']>> = {}): Record<ModuleName, ModuleState> =>
  Object.fromEntries(
    MODULE_NAMES.map(name => [name, { state: changes[name] ?? 'present', because: 'as the test says' }])
  ) as Record<ModuleName, ModuleState>

export const storage = (changes: Partial<Storage> = {}): Storage => ({
  path: '/var/lib/kubelet',
  device: '8:1',
  mountPoint: '/',
  type: 'ext4',
  readOnly: false,
  noExec: false,
  free: 200e9,
  total: 500e9,
  ...changes
})

/** Nothing was tried, but for these, as the test says. */
export const proofs = (outcomes: Partial<Record<TrialName, Proof['outcome']>> = {}): Proofs => ({
  ...untried('nothing was tried'),
  ...Object.fromEntries(Object.entries(outcomes).map(([name, outcome]) => [name, { outcome, because: `${name} was seen` }]))
})

/**
 * A node that can host everything but `userns`, which needs a newer kernel than shiftfs has: bare metal with an NVIDIA GPU, Ubuntu with its own shiftfs, Sysbox, and FUSE for pods. Only the facts
 * on which a rule or a label rests need a value here; all others are unknown on it.
 */
const DECIDING: Partial<Values> = {
  kernel: { release: '5.15.0-116-generic', major: 5, minor: 15 },
  'upstream-kernel': '5.15.149',
  architecture: 'amd64',
  distro: { id: 'ubuntu', version: '22.04', name: 'Ubuntu 22.04.5 LTS', like: ['debian'], variant: '' },
  'boot-id': '7b3c1e2a-90ab-4cde-8f01-23456789abcd',
  'kernel-modules': { supported: true, modules: modules(), shiftfs: { registered: true, outOfTree: false, blockedBy: '' } },
  headers: { directory: '/usr/src/linux-headers', missing: [], isIdmappedMnt: true, renamedata: false },
  'module-switch': { disabled: false },
  'secure-boot': 'off',
  lockdown: 'none',
  'module-signatures': false,
  loadpin: false,
  'user-namespaces': { compiled: true, max: 65_536, unprivileged: true },
  'namespace-limits': { mnt: 65_536, pid: 65_536 },
  inotify: { watches: 1_048_576, instances: 8_192 },
  seccomp: ['kill_process', 'user_notif', 'allow'],
  'seccomp-default': 'off',
  fuse: { registered: true, device: { number: '10:229', mode: 0o666 } },
  kvm: { device: { number: '10:232', mode: 0o666 }, modules: { ok: true, value: ['kvm_intel'] } },
  'crio-devices': [],
  selinux: 'absent',
  apparmor: {
    enabled: { ok: true, value: true },
    profiles: { ok: true, value: new Map() },
    fusermount3: { ok: true, value: { state: 'absent', allowsSysbox: false } },
    podmanFile: { ok: true, value: false }
  },
  'apparmor-userns': 'absent',
  yama: 1,
  storage: storage(),
  'sysbox-storage': storage({ path: '/var/lib/sysbox' }),
  'var-lib': storage({ path: '/var/lib' }),
  'host-paths': { '/usr/src': { exists: true, parentWritable: true }, '/lib/modules': { exists: true, parentWritable: true } },
  machine: { kind: 'bare-metal', sign: 'Dell' },
  cloud: 'none',
  gpus: [{ address: '0000:00:1e.0', vendor: 'nvidia', driver: 'nvidia' }],
  'nvidia-driver': { version: '550.135', open: false },
  'nvidia-library': ['550.135'],
  'nvidia-devices': { control: true, gpus: 1, nouveau: false },
  mig: false,
  sysbox: {
    programs: ['/usr/bin/sysbox-runc'],
    manager: { ok: true, value: 'alive' },
    fs: { ok: true, value: 'alive' },
    version: { ok: true, value: '0.7.1' }
  },
  docker: { runtimes: ['sysbox-runc'], defaultRuntime: '' },
  procfs: [],
  conntrack: true,
  node: {
    name: 'node',
    labels: {},
    annotations: {},
    providerId: '',
    taints: [],
    allocatable: { 'nvidia.com/gpu': 1, 'github.com/fuse': 10, 'berth.dev/kvm': 256 },
    runtimeHandlers: ['', 'runc', 'sysbox-runc'],
    userNamespaceHandlers: { '': true, runc: true, 'sysbox-runc': true },
    containerRuntime: 'containerd://1.7.27',
    kubelet: 'v1.33.4',
    runningInUserNamespace: undefined
  },
  'resource-slices': { asked: false },
  'pod-security': { asked: true, level: 'privileged' },
  inventory: { cpu: { model: 'AMD EPYC', cores: 2 }, memory: { total: 8e9, available: 4e9 }, disks: [] },
  proofs: untried('no privileged helper runs on this node'),
  shiftfs: { state: 'loaded', because: 'loaded', outOfTree: false, suspect: false }
}

export const IDEAL = DECIDING as Values

export const FACTS: readonly FactName[] = ALL_FACTS.map(({ name }) => name)

/** The facts of the ideal node, but for these changes; the facts that are named after them are unknown. */
export const factsOf = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]): NodeFacts => {
  const values: Partial<Values> = { ...IDEAL, ...changes }
  const isKnown = (name: FactName): boolean => Object.hasOwn(values, name) && !unknowns.includes(name)
  return Object.fromEntries(
    FACTS.map(name => [name, isKnown(name) ? known(values[name]) : unknown(`nobody could read ${name}`)])
  ) as unknown as NodeFacts
}

/** The operator's defaults. */
export const policy = (changes: Partial<Policy> = {}): Policy => ({
  minimumKernel: undefined,
  gpuInVirtualMachines: 'deny',
  shiftfsOutsideUbuntu: 'deny',
  apparmorUserns: 'block',
  selinuxPodman: 'block',
  fuseResources: ['github.com/fuse', 'smarter-devices/fuse'],
  kvmResources: ['berth.dev/kvm', 'devices.kubevirt.io/kvm'],
  kubeletRoot: '',
  privilegedWorkspaces: 'unset',
  workspaceNamespace: '',
  ...changes
})

export const kernel = (release: string): Values['kernel'] => {
  const [major = 0, minor = 0] = release.split('.').map(part => Number.parseInt(part, 10))
  return { release, major, minor }
}

export const distro = (id: string, version = ''): Values['distro'] => ({
  id,
  version,
  name: `${id} ${version}`.trim(),
  like: [],
  variant: ''
})

/** The answer of each part, by name, at any depth. */
export const answers = (verdict: Verdict): Readonly<Record<string, Answer>> => ({
  ...(verdict.parts.length === 0 ? { [verdict.name]: verdict.answer } : Object.assign({}, ...verdict.parts.map(answers))),
  [verdict.name]: verdict.answer
})

/** All parts of a verdict at any depth, itself included. */
export const allParts = (verdict: Verdict): readonly Verdict[] => [verdict, ...verdict.parts.flatMap(allParts)]
