import { readFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'
import { parseRecording } from '../../src/host/recorded.ts'
import { newClaims, unreadable } from './damage.ts'
import { machines } from './machines.ts'
import { recordingFile } from './recordings.ts'

// A machine that is busy with other tests takes its time.
vi.setConfig({ testTimeout: 30_000 })

it.each(Object.entries(machines))('%s: no claim comes of one file that cannot be read', async (name, machine) => {
  const recording = parseRecording(readFileSync(recordingFile(name), 'utf8'))
  const damages = Object.entries(recording.paths).flatMap(([path, entry]) => unreadable(path, entry))
  expect(damages.length).toBeGreaterThan(30)
  expect(await newClaims(recording, machine, damages)).toEqual([])
})
