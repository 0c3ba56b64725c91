import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Measured } from './fleet.ts'
import type { StormResult } from './storm/storms.ts'

const FILE = join(import.meta.dirname, 'recorded.json')

/** Agents in the simulation that the tests repeat; the command simulates 15,000 too. */
export const SMALL = 500

/** What agents cost, beside the control plane by itself before they came. */
export interface Cost {
  /** When it was measured, `2026-11-23`, and at which commit. */
  readonly date: string
  readonly commit: string
  readonly alone: Measured
  readonly run: Measured
}

/** Numbers of the last `npm run scale`: what was measured, by the number of agents, and what was simulated, by storm. */
export interface Recorded {
  readonly fleet: Readonly<Record<string, Cost>>
  readonly storms: Readonly<Record<string, StormResult>>
  readonly small: Readonly<Record<string, StormResult>>
}

export const recorded = (): Recorded => JSON.parse(readFileSync(FILE, 'utf8'))

/** Puts one result in the place of the one before. */
export async function record(part: keyof Recorded, name: string, result: Cost | StormResult): Promise<void> {
  const all = recorded()
  const text = JSON.stringify({ ...all, [part]: { ...all[part], [name]: result } }, undefined, 2)
  // A second a number, and a line for all of them.
  await writeFile(FILE, `${text.replace(/\[[\s\d.,]*\]/g, list => list.replace(/\s+/g, ''))}\n`)
}
