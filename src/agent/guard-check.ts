import { growing, spread } from '../growing-wait.ts'
import { checkGuard, checkOtherNodes, checkOwnNode } from '../kubernetes/admission-guard/check.ts'
import { type Agent, untilAnswered } from './world.ts'

/** A policy may be applied after the agent, and becomes active seconds later; and it may be deleted at any time (milliseconds). */
const PAUSE = { first: 15_000, longest: 3_600_000 }

/** The first check on another Node is spread over this time: after a blackout all agents of a cluster start together (milliseconds). */
const OTHER_NODES = 900_000

/** Checks the admission policy until the agent ends: less and less often while it is missing, and once an hour while it is enforced. */
export async function keepCheckingGuard({ config, world, connection }: Agent): Promise<void> {
  const { signal, emit, random, sleep } = world
  let check = checkOwnNode
  for (let missing = 0; !signal.aborted; ) {
    await untilAnswered(world, async () => {
      const guard = await check(connection, config.options['node-name'], signal)
      missing = guard.enforced ? 0 : missing + 1
      emit({ type: 'guard-checked', guard })
    })
    const isFirst = missing === 0 && check === checkOwnNode
    if (missing === 0) check = isFirst ? checkOtherNodes : checkGuard
    const pause = missing === 0 ? PAUSE.longest : growing(PAUSE, missing)
    await sleep(isFirst ? random() * OTHER_NODES : spread(pause, random), signal)
  }
}
