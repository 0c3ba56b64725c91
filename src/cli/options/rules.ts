import type { Version } from '../../facts/kernel.ts'
import { JUDGING } from '../commands.ts'
import { type OptionTable, option } from './option.ts'
import { expected, matching, oneOf, optional, parseList } from './parsers.ts'

/** Decisions about workspaces that do not depend on the node. Most of these options become the `Policy` of the verdicts. */
export const RULE_OPTIONS = {
  'minimum-kernel': option({
    form: 'N.N',
    fallback: '',
    commands: JUDGING,
    does: 'oldest kernel that may host CVMs; replaces the built-in rule',
    parse: parseVersion
  }),
  'gpu-in-virtual-machines': option({
    form: 'deny|allow',
    fallback: 'deny',
    commands: JUDGING,
    does: 'whether CVMs get GPUs on nodes that are not bare metal',
    parse: oneOf('deny', 'allow')
  }),
  'shiftfs-outside-ubuntu': option({
    form: 'deny|allow',
    fallback: 'deny',
    commands: JUDGING,
    does: "whether berth may rely on a self-built shiftfs on kernels other than Ubuntu's, where a user can crash the node",
    parse: oneOf('deny', 'allow')
  }),
  'apparmor-userns': option({
    form: 'block|allow',
    fallback: 'block',
    commands: JUDGING,
    does: 'whether Podman counts as blocked where AppArmor restricts user namespaces (the default of Ubuntu 24.04)',
    parse: oneOf('block', 'allow')
  }),
  'selinux-podman': option({
    form: 'block|allow',
    fallback: 'block',
    commands: JUDGING,
    does: 'whether Podman counts as blocked where SELinux is enforcing',
    parse: oneOf('block', 'allow')
  }),
  'fuse-resources': option({
    form: 'LIST',
    fallback: 'berth.dev/fuse,github.com/fuse,smarter-devices/fuse,squat.ai/fuse',
    commands: [...JUDGING, 'template'],
    does: 'extended resources that offer /dev/fuse to pods; an example requests the first one',
    parse: parseResources
  }),
  'kvm-resources': option({
    form: 'LIST',
    fallback: 'berth.dev/kvm,devices.kubevirt.io/kvm,squat.ai/kvm,smarter-devices/kvm',
    commands: [...JUDGING, 'template'],
    does: 'extended resources that offer /dev/kvm to pods; an example requests the first one',
    parse: parseResources
  }),
  'privileged-workspaces': option({
    form: 'unset|allowed|denied',
    fallback: 'unset',
    commands: JUDGING,
    does: 'whether privileged pods may run where workspaces run; unset: berth does not judge it, unless --workspace-namespace is given',
    parse: oneOf('unset', 'allowed', 'denied')
  }),
  'workspace-namespace': option({
    form: 'NAME',
    fallback: '',
    commands: [...JUDGING, 'doctor'],
    does: 'namespace of the workspaces: its Pod Security level counts, and doctor checks its proxies and volumes',
    parse: optional(matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a namespace'))
  })
} as const satisfies OptionTable

function parseVersion(text: string): Version | undefined {
  if (text === '') return undefined
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})$/.exec(text) ?? []
  return major === undefined || minor === undefined
    ? expected('a kernel version as N.N, such as 5.15')
    : [Number(major), Number(minor)]
}

/** An empty list is valid for clusters where pods get the device another way: /dev/fuse from CRI-O, /dev/kvm by Kata's runtime. */
function parseResources(text: string): readonly string[] {
  const names = parseList(text)
  return names.every(name => /^[a-z0-9.-]+\/[\w.-]+$/i.test(name))
    ? names
    : expected('resource names as domain/name, separated by commas, or nothing')
}
