import type { NodeFacts } from '../facts/observe.ts'
import { ask, leaf, no, type Verdict, yes } from './verdict.ts'

/**
 * Whether a container in a user namespace can have a /proc of its own: the kernel refuses it if a file of the node's /proc is covered
 * (mount_too_revealing in fs/namespace.c). A trial outranks the mount table.
 */
export function judgeProcfs(facts: NodeFacts): Verdict {
  const name = 'a new procfs'
  const tried = facts.proofs.known ? facts.proofs.value.procfs : undefined
  if (tried?.outcome === 'works') return leaf(name, ['proofs'], yes(`a trial mount worked: ${tried.because}`))
  if (tried?.outcome === 'fails')
    return leaf(
      name,
      ['proofs'],
      no(`a trial mount failed: ${tried.because}`, 'Unmount everything that is mounted over files of /proc.')
    )
  return ask(facts, name, 'procfs', points =>
    points.length === 0
      ? yes('nothing is mounted over files of /proc')
      : no(
          `something is mounted over ${points.join(', ')}, so the kernel refuses a new procfs in a user namespace`,
          `Unmount it: umount ${points.join(' ')}.`
        )
  )
}
