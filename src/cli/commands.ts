/**
 * All commands: the operand that follows the name, and what the command does. `main.ts` has the loader of each; it does not compile
 * while one is missing. The loaders are not here because `commands/` comes after this room.
 */
export const COMMANDS = {
  report: { operand: '', does: 'show what this node can host, why not, and how to fix it; changes nothing' },
  explain: { operand: 'CAPABILITY', does: 'show how one verdict was reached, down to the file and the value that was read' },
  run: { operand: '', does: 'the agent: observe this node, and keep the labels of its Node up to date' },
  record: { operand: 'FILE', does: 'save what berth reads from this node, without secrets, to replay it elsewhere' },
  template: {
    operand: 'CAPABILITY',
    does: 'print an example workspace: a pod, a Coder template, or the node pool that it needs'
  },
  helper: { operand: '', does: 'the privileged half: test mounts, apply permitted remedies; no token, no port' },
  devices: { operand: '', does: 'the device plugin: offer /dev/fuse, /dev/kvm and /dev/net/tun of this node to pods' },
  doctor: {
    operand: '',
    does: 'check the installation: identity, permissions, admission policy, agent, labels, startup taint, clock'
  },
  fleet: { operand: '', does: 'list what every Node can host, why not, and what would help most' },
  uninstall: { operand: '', does: 'remove everything that berth wrote to one Node, or to all Nodes' }
} as const satisfies Readonly<Record<string, { readonly operand: string; readonly does: string }>>

export type CommandName = keyof typeof COMMANDS

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[]

export const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name)

/** The commands that observe a node and decide what it can host. */
export const JUDGING = ['report', 'explain', 'run', 'helper'] as const satisfies readonly CommandName[]

/** The commands that work on one Node through the API. */
export const ON_ONE_NODE = ['run', 'doctor', 'uninstall'] as const satisfies readonly CommandName[]
