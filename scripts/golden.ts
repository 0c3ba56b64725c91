import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { agentSees, SEEN } from '../test/nodes/agent-sees.ts'
import { machines } from '../test/nodes/machines.ts'
import { GOLDENS, golden, NODES, recordingOf } from '../test/nodes/recordings.ts'
import { FLEET_GOLDENS, fleetGoldenFile, formatFleet, recordedFleet } from '../test/support/recorded-fleet.ts'

/** Writes every recording and golden of test/nodes anew, takes away those of machines that are no more, then the table of what the agent cannot see, and the goldens of a fleet. */
async function main(): Promise<void> {
  await mkdir(GOLDENS, { recursive: true })
  const kept = new Set<string>()
  const put = async (file: string, text: string): Promise<void> => {
    kept.add(file)
    await writeFile(file, text)
  }
  for (const [name, machine] of Object.entries(machines)) {
    for (const [file, text] of Object.entries(await recordingOf(name, machine))) await put(join(NODES, file), text)
    await put(join(GOLDENS, `${name}.txt`), await golden(name))
  }
  for (const [folder, ending] of [
    [NODES, '.yaml'],
    [GOLDENS, '.txt']
  ] as const) {
    for (const file of await readdir(folder)) {
      if (file.endsWith(ending) && !kept.has(join(folder, file))) await rm(join(folder, file))
    }
  }
  await writeFile(SEEN, await agentSees())
  const fleet = await recordedFleet()
  await mkdir(dirname(fleetGoldenFile('')), { recursive: true })
  for (const [name, args] of Object.entries(FLEET_GOLDENS)) await writeFile(fleetGoldenFile(name), formatFleet(fleet, args))
  process.stdout.write(`${Object.keys(machines).length} machines in test/nodes and test/golden.\n`)
}

await main()
