import { rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { type Command, CommandError } from '../cli/command.ts'
import { openHost } from '../cli/open-host.ts'
import { observe } from '../facts/observe.ts'
import { writeRecording } from '../host/recorded.ts'
import { witness } from '../host/witness.ts'

/** Writes everything the detectors asked of this node, and its answers, scrubbed, into a file that `report --host-root` replays. */
export const record: Command = async ({ options, operand }, { print, clock }) => {
  const eyes = witness(await openHost(options['host-root']))
  await observe({ host: eyes.host, node: undefined, podSecurity: undefined }, clock.elapsed)
  const there = (await eyes.host.read('/etc/hostname').catch(() => undefined)) ?? ''
  const asked = eyes.testimony().filter(({ subject }) => subject !== '/etc/hostname')
  await writeWhole(operand, writeRecording(asked, [hostname(), there.trim()]))
  print(`${operand}: ${asked.length} questions and answers, without serial numbers, host names, addresses, UUIDs and tokens.\n`)
  return 0
}

/** Beside the file and then in its place, so that nobody ever sees half of it. */
async function writeWhole(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`
  try {
    await writeFile(beside, text, { flag: 'wx' })
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw new CommandError(`${file} cannot be written: ${(error as Error).message}`, { cause: error })
  }
}
