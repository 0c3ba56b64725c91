import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { ROOT } from '../../scripts/steps.ts'
import { nodePrograms } from './programs.ts'

/** vitest's globalSetup: the programs of a node, and today's bundle, which goes into the images. */
export default async function setup(): Promise<void> {
  await Promise.all([nodePrograms(), execa(process.execPath, [join(ROOT, 'scripts/build.ts')])])
}
