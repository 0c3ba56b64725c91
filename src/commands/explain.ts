import { type Command, CommandError } from '../cli/command.ts'
import { painter } from '../paint.ts'
import { printable } from '../printable.ts'
import { explainTree } from '../report/explain-tree.ts'
import { ALL_CAPABILITIES, CAPABILITIES } from '../verdicts/all.ts'
import type { Verdict } from '../verdicts/verdict.ts'
import { observeNode } from './observe-node.ts'

/** Prints one verdict, down to the values that were read. */
export const explain: Command = async (config, { print, clock }) => {
  const { operand } = config
  const definition = ALL_CAPABILITIES.find(({ name }) => name === operand)
  if (definition === undefined) {
    throw new CommandError(`unknown capability "${operand}": expected ${CAPABILITIES.join(', ')}`, { status: 2 })
  }
  const snapshot = await observeNode(config, clock)
  const verdict: Verdict | undefined = snapshot.verdicts[definition.name]
  if (verdict === undefined) {
    throw new CommandError(`${operand} is judged only if you opt in: set ${definition.optIn?.options}`, {
      status: 2
    })
  }
  if (config.options.format === 'json') print(`${printable(JSON.stringify(verdict))}\n`)
  else print(explainTree(verdict, snapshot, painter(config.screen)))
  return 0
}
