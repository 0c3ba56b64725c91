import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseRecording } from '../../src/host/recorded.ts'
import { newClaims, unreadable } from './damage.ts'
import { machines } from './machines.ts'
import { recordingFile } from './recordings.ts'

it.each(Object.entries(machines))('%s: no claim comes of one file that cannot be read', async (name, machine) => {
  const recording = parseRecording(readFileSync(recordingFile(name), 'utf8'))
  const damages = Object.entries(recording.paths).flatMap(([path, entry]) => unreadable(path, entry))
  expect(damages.length).toBeGreaterThan(30)
  expect(await newClaims(recording, machine, damages)).toEqual([])
})
