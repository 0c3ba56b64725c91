import { type Command, CommandError } from '../cli/command.ts'
import { OPTIONS } from '../cli/options/all.ts'
import { readExample } from './template/examples.ts'
import { nodePool, WAYS, type Way } from './template/node-pool.ts'

/** Prints an example workspace with the label prefix, startup taint and FUSE resource of this cluster. */
export const template: Command = async ({ operand, options }, { print }) => {
  const way = WAYS.find(name => name === operand)
  if (way === undefined) {
    throw new CommandError(`unknown capability "${operand}": expected ${WAYS.join(', ')}`, { status: 2 })
  }
  const adapt = (text: string): string =>
    text
      .replaceAll(`${OPTIONS['label-prefix'].fallback}/`, `${options['label-prefix']}/`)
      .replaceAll(FUSE, options['fuse-resources'][0] ?? FUSE)
  print(adapted[options.as](way, adapt, options['startup-taint']))
  return 0
}

/** The resource in the example files: the first default of --fuse-resources. */
const FUSE = 'berth.dev/fuse'

const adapted = {
  pod: (way: Way, adapt: (text: string) => string) => adapt(readExample(`${way}.yaml`)),
  terraform: (way: Way, adapt: (text: string) => string) => adapt(readExample(`${way}.tf`)),
  nodepool: (way: Way, adapt: (text: string) => string, taint: string) => nodePool(way, adapt(readExample(`${way}.yaml`)), taint)
} as const
