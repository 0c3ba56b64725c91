import { setTimeout as wait } from 'node:timers/promises'
import { type Command, CommandError } from '../cli/command.ts'
import type { Config } from '../cli/config.ts'
import { stoppedBySignals } from '../cli/signals.ts'
import { deviceReader } from '../devices/health.ts'
import { offerDevice } from '../devices/keep-registered.ts'
import type { KindName } from '../devices/kinds.ts'
import { directoryWatch, requirePluginDirectory } from '../devices/plugin-directory.ts'
import { attempt } from '../facts/attempt.ts'
import { createLog, lineWriter } from '../log.ts'
import { VERSION } from '../version.ts'

const SLOTS = 256

/** The device plugin: offers devices of the node to pods until it is told to end. */
export const devices: Command = async ({ options }, { clock }) => {
  const folder = options['plugin-directory']
  const directory = await attempt(() => requirePluginDirectory(folder))
  if (!directory.ok) throw new CommandError(`--plugin-directory: ${directory.why}`)
  const log = createLog({ level: options['log-level'], format: options['log-format'], write: lineWriter(1), now: clock.now })
  const { signal } = stoppedBySignals(name => log.event('agent-stopping', `${name}: pods keep the devices that they have`))
  log.event('agent-started', `berth ${VERSION}, the device plugin; offered: ${options.offer.join(', ')}`)
  const pause = (milliseconds: number): Promise<void> => wait(milliseconds, undefined, { signal }).catch(() => undefined)
  const readDevice = deviceReader(options['host-root'].replace(/\/+$/, ''))
  const terms = { folder, readDevice, log, signal, now: clock.elapsed, pause, change: directoryWatch(folder, signal) }
  await Promise.all(options.offer.map(name => offerDevice({ name, slots: slotsOf(name, options), ...terms })))
  log.event('agent-stopped', 'ended in good order')
  return 0
}

const slotsOf = (name: KindName, options: Config['options']): number => (name === 'fuse' ? options['fuse-slots'] : SLOTS)
