import { buildBundle } from '../support/bundle.ts'
import { machineImage } from './image.ts'

/** vitest's globalSetup: the disk must be there, and today's bundle is built. */
export default async function setup(): Promise<void> {
  await Promise.all([machineImage(), buildBundle()])
}
