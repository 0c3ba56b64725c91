import { CommandError } from '../cli/command.ts'
import { type Identity, identify } from '../kubernetes/identity.ts'
import { type Agent, untilAnswered } from './world.ts'

/** Asks the API who we are, and then allows writes to the Node. Throws `CommandError` if our token belongs to another Node. */
export async function checkIdentity({ config, world, connection, wake, seen }: Agent): Promise<void> {
  const name = config.options['node-name']
  let asked: Promise<Identity> | undefined = world.earlyConnection.identity
  await untilAnswered(world, async () => {
    const answer = asked ?? identify(connection, world.signal)
    asked = undefined
    const { user, node } = await answer
    if (node !== '' && node !== name) {
      throw new CommandError(
        `this token belongs to a pod on the Node "${node}", and --node-name is "${name}"; set NODE_NAME from spec.nodeName`
      )
    }
    world.emit({ type: 'identified', user, node })
    seen.isOurs = true
    wake.want('reconcile')
  })
}
