import { join } from 'node:path'
import { execa } from 'execa'
import { ROOT } from '../../scripts/steps.ts'
import { machineImage } from './image.ts'

/** vitest's globalSetup: the disk (made once, then cached) and today's bundle, so that no test file waits for them or makes them twice. */
export default async function setup(): Promise<void> {
  await Promise.all([machineImage(), execa(process.execPath, [join(ROOT, 'scripts/build.ts')])])
}
