import { JUDGING } from '../commands.ts'
import { type OptionTable, option } from './option.ts'
import { expected, matching, optional } from './parsers.ts'

/** The node that is observed. */
export const NODE_OPTIONS = {
  'host-root': option({
    form: 'DIR',
    fallback: '/',
    commands: ['report', 'explain', 'run', 'helper', 'record', 'doctor', 'devices'],
    does: "directory where the node's root file system is mounted; report and explain also accept a recorded node (FILE.yaml)",
    common: true,
    parse: text => (text === '' ? expected('a directory or a recorded node') : text)
  }),
  node: option({
    form: 'FILE',
    fallback: '',
    commands: ['report', 'explain'],
    does: 'adds facts from this Node object, a JSON or YAML file (kubectl get node NAME -o yaml)',
    parse: text => text
  }),
  'kubelet-root': option({
    form: 'DIR',
    fallback: '',
    commands: JUDGING,
    does: "the kubelet's --root-dir; needed only where berth cannot find it from the mounts of pods",
    parse: optional(matching(/^(\/[^/\0]+)+$/, 'an absolute path without a slash at the end'))
  }),
  handover: option({
    form: 'FILE',
    fallback: '/run/berth/handover.json',
    commands: ['report', 'explain', 'run', 'helper'],
    does: 'file in which the helper writes its results, and from which the other commands read them',
    parse: text => (text.startsWith('/') ? text : expected('an absolute path'))
  })
} as const satisfies OptionTable
