import { expect, it } from 'vitest'
import { parseRecording } from '../../src/host/recorded.ts'
import { asUser } from './as-user.ts'
import { cut, garbled, newClaims, unreadable } from './damage.ts'
import { machines } from './machines.ts'
import type { Machine } from './played.ts'
import { recordingOf } from './recordings.ts'

/** What is hidden from the agent and one damage more. Of an empty root there is no file to damage. */
const seen = Object.entries(machines)
  .filter(([name]) => name !== 'empty-root')
  .map(([name, machine]): [string, Machine] => [name, asUser(machine)])

it.each(seen)('%s as the agent sees it: no claim comes of one file that is unreadable, cut or garbage', async (name, machine) => {
  const recording = parseRecording((await recordingOf(name, machine))[`${name}.yaml`] as string)
  const entries = Object.entries(recording.paths)
  const damages = entries.flatMap(([path, entry]) => [...unreadable(path, entry), ...cut(path, entry), ...garbled(path, entry)])
  expect(damages.length).toBeGreaterThan(100)
  expect(await newClaims(recording, machine, damages)).toEqual([])
})
