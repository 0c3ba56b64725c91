import type { Known } from '../facts/fact.ts'
import type { FactName, NodeFacts } from '../facts/observe.ts'
import { type Proofs, TRIALS } from '../facts/proofs.ts'
import type { Disk } from '../facts/storage.ts'
import { gibibytes } from '../host/witness.ts'

type Value<Name extends FactName> = Extract<NodeFacts[Name], { known: true }>['value']

/** A known fact in a line for people. */
export const factText = <Name extends FactName>(name: Name, facts: NodeFacts): string =>
  (TEXTS[name] as (value: Value<Name>) => string)((facts[name] as Known<Value<Name>>).value)

const storage = ({ path, type, mountPoint, free, total, readOnly, noExec }: Disk): string => {
  const space = free === undefined || total === undefined ? '' : `, ${gibibytes(free)} free of ${gibibytes(total)}`
  return `${path} on ${type} at ${mountPoint}${readOnly ? ', read-only' : ''}${noExec ? ', noexec' : ''}${space}`
}

const listed = (items: readonly string[], none: string): string => (items.length === 0 ? none : items.join(', '))

/** Where nothing was tried, the one reason; else the names by their outcome. */
function proofsText(proofs: Proofs): string {
  const reasons = [...new Set(TRIALS.map(name => proofs[name].because))]
  if (TRIALS.every(name => proofs[name].outcome === 'untried') && reasons.length === 1) return `none: ${reasons[0]}`
  const by = (outcome: string): readonly string[] => TRIALS.filter(name => proofs[name].outcome === outcome)
  return (['works', 'fails', 'untried'] as const)
    .filter(outcome => by(outcome).length > 0)
    .map(outcome => `${outcome}: ${by(outcome).join(', ')}`)
    .join('; ')
}

const TEXTS: { readonly [Name in FactName]: (value: Value<Name>) => string } = {
  kernel: ({ release }) => release,
  'upstream-kernel': version => version || 'not told by this kernel',
  architecture: arch => arch,
  distro: ({ name, id, version }) => `${name} (${[id, version].filter(part => part !== '').join(' ')})`,
  'boot-id': id => id,
  'kernel-modules': ({ supported, modules }) =>
    supported
      ? Object.entries(Object.groupBy(Object.entries(modules), ([, { state }]) => state))
          .map(([state, found]) => `${state}: ${found.map(([name]) => name).join(', ')}`)
          .join('; ')
      : 'this kernel has no loadable modules',
  headers: ({ directory, missing }) => {
    if (directory === '') return 'none'
    return missing.length === 0 ? `complete, in ${directory}` : `not complete: no ${missing.join(', ')} in ${directory}`
  },
  'module-switch': ({ disabled }) => `module loading is switched ${disabled ? 'off' : 'on'}`,
  'secure-boot': state => state,
  lockdown: level => level,
  'module-signatures': enforced => (enforced ? 'enforced' : 'not enforced'),
  loadpin: pinned => (pinned ? 'on' : 'off'),
  'user-namespaces': ({ compiled, max, unprivileged }) =>
    compiled ? `at most ${max} per user${unprivileged ? '' : ', not for unprivileged users'}` : 'not in this kernel',
  'namespace-limits': ({ mnt, pid }) => `mount ${mnt}, pid ${pid}`,
  inotify: ({ watches, instances }) => `${watches} watches, ${instances} instances`,
  seccomp: actions => listed(actions, 'no actions'),
  'seccomp-default': state => state,
  fuse: ({ registered, device }) =>
    `${registered ? 'registered' : 'not registered'}, ${device ? `/dev/fuse ${device.number} mode ${device.mode.toString(8).padStart(4, '0')}` : 'no /dev/fuse'}`,
  'crio-devices': paths => listed(paths, 'none'),
  selinux: mode => mode,
  apparmor: ({ enabled, profiles, fusermount3 }) =>
    [
      enabled.ok ? (enabled.value ? 'enabled' : 'not enabled') : `unknown (${enabled.why})`,
      profiles.ok
        ? `loaded of podman and fusermount3: ${listed(
            [...profiles.value].map(([name, mode]) => `${name} (${mode})`),
            'none'
          )}`
        : profiles.why,
      fusermount3.ok ? `its file for fusermount3: ${fusermount3.value.state}` : fusermount3.why
    ].join(', '),
  'apparmor-userns': restriction => (restriction === 'on' ? 'restricted' : `not restricted (${restriction})`),
  yama: scope => (scope === 'absent' ? 'absent' : `ptrace_scope ${scope}`),
  storage,
  'sysbox-storage': storage,
  'var-lib': storage,
  'host-paths': paths =>
    Object.entries(paths)
      .map(([path, { exists, parentWritable }]) => `${path} ${exists ? 'there' : parentWritable ? 'can be created' : 'missing'}`)
      .join(', '),
  machine: ({ kind, sign }) => `${kind}: ${sign}`,
  cloud: name => name,
  gpus: gpus =>
    listed(
      gpus.map(({ vendor, address, driver }) => `${vendor} ${address} (${driver || 'no driver'})`),
      'none'
    ),
  'nvidia-driver': driver => (driver === 'none' ? 'none' : `${driver.version}${driver.open ? ' (open kernel module)' : ''}`),
  'nvidia-library': versions => listed(versions, 'not found'),
  'nvidia-devices': ({ control, gpus, nouveau }) =>
    `${control ? '/dev/nvidiactl' : 'no /dev/nvidiactl'}, driver has ${gpus} GPUs${nouveau ? ', nouveau is loaded' : ''}`,
  mig: split => (split ? 'on' : 'off'),
  sysbox: ({ programs, manager, fs, version }) => {
    if (programs.length === 0) return 'not installed'
    const state = (found: typeof manager | typeof version) =>
      found.ok ? found.value || 'of unknown version' : `unknown (${found.why})`
    return `${programs.join(', ')}: ${state(version)}; sysbox-mgr ${state(manager)}, sysbox-fs ${state(fs)}`
  },
  docker: config => {
    if (config === 'none') return 'no /etc/docker/daemon.json'
    const known = config.runtimes.includes('sysbox-runc') ? 'sysbox-runc is a runtime' : 'sysbox-runc is no runtime'
    return `${known}; runtimes: ${listed(config.runtimes, 'none')}; default: ${config.defaultRuntime || 'runc'}`
  },
  procfs: points => (points.length === 0 ? 'nothing is mounted over its files' : `mounted over: ${points.join(', ')}`),
  conntrack: there => (there ? 'loaded' : 'not loaded'),
  node: ({ name, kubelet, containerRuntime, allocatable }) =>
    `${name}, ${kubelet}, ${containerRuntime}, offers ${listed(
      Object.entries(allocatable).map(([resource, count]) => `${count} ${resource}`),
      'no extended resources'
    )}`,
  'resource-slices': found =>
    found.asked ? `${found.devices} devices${found.tainted > 0 ? `, ${found.tainted} of them tainted` : ''}` : 'not asked',
  'pod-security': found => (found.asked ? found.level || 'no level is enforced' : 'not asked'),
  inventory: ({ cpu, memory, disks }) =>
    `${cpu.cores} × ${cpu.model}, ${gibibytes(memory.total)} memory, ${listed(
      disks.map(({ name, size, type }) => `${name} ${gibibytes(size)} ${type}`),
      'no disks seen'
    )}`,
  proofs: proofsText,
  shiftfs: ({ state, because }) => `${state}: ${because}`
}
