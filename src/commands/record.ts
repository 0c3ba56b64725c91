import { rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { type Command, CommandError } from '../cli/command.ts'
import { openHost } from '../cli/open-host.ts'
import { observe } from '../facts/observe.ts'
import { writeRecording } from '../host/recorded.ts'
import { witness } from '../host/witness.ts'

/** Writes all questions of the detectors and the answers of this node, scrubbed, to a file that `report --host-root` replays. */
export const record: Command = async ({ options, operand }, { print, clock }) => {
  const recorder = witness(await openHost(options['host-root']))
  await observe({ host: recorder.host, node: undefined, podSecurity: undefined }, clock.elapsed)
  const hostnameFile = (await recorder.host.read('/etc/hostname').catch(() => undefined)) ?? ''
  const asked = recorder.testimony().filter(({ subject }) => subject !== '/etc/hostname')
  await writeAtomically(operand, writeRecording(asked, [hostname(), hostnameFile.trim()]))
  print(`${operand}: ${asked.length} questions and answers, without serial numbers, host names, addresses, UUIDs and tokens.\n`)
  return 0
}

/** Writes to a temporary file and renames it, so that the file is never incomplete. */
async function writeAtomically(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw new CommandError(`${file} cannot be written: ${(error as Error).message}`, { cause: error })
  }
}
