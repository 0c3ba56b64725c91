import { type Command, CommandError } from '../cli/command.ts'
import { readExample } from './template/examples.ts'
import { nodePool, WAYS, type Way } from './template/node-pool.ts'

/** Prints an example workspace with the label prefix, startup taint and device resources of this cluster. */
export const template: Command = async ({ operand, options }, { print }) => {
  const way = WAYS.find(name => name === operand)
  if (way === undefined) {
    throw new CommandError(`unknown capability "${operand}": expected ${WAYS.join(', ')}`, { status: 2 })
  }
  const resources = { fuse: options['fuse-resources'][0], kvm: options['kvm-resources'][0] } as const
  const adapt = (text: string): string =>
    text.replaceAll(KEY, (key, device?: keyof typeof resources) =>
      device === undefined ? `${options['label-prefix']}/` : (resources[device] ?? key)
    )
  print(adapted[options.as](way, adapt, options['startup-taint']))
  return 0
}

/**
 * A key in the example files: the resource of a device (`berth.dev/kvm: 1`, `"berth.dev/kvm" = "1"`), or else the prefix of a label
 * (`berth.dev/kvm: "true"`). The device plugin's resources have the same domain whatever the label prefix is: a comment names one.
 */
const KEY = /berth\.dev\/(?:(fuse|kvm)(?="? *[:=] *"?1\b)|(?!fuse\b))/g

const adapted = {
  pod: (way: Way, adapt: (text: string) => string) => adapt(readExample(`${way}.yaml`)),
  terraform: (way: Way, adapt: (text: string) => string) => adapt(readExample(`${way}.tf`)),
  nodepool: (way: Way, adapt: (text: string) => string, taint: string) => nodePool(way, adapt(readExample(`${way}.yaml`)), taint)
} as const
