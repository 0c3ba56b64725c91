import { join } from 'node:path'
import { execa } from 'execa'
import { ROOT } from '../../packaging/root.ts'
import type { Part } from './prepare.ts'

/** Builds `dist/berth.mjs` from the sources as they are; a second. */
export const buildBundle = async (): Promise<void> => {
  await execa(process.execPath, [join(ROOT, 'scripts/build.ts')])
}

export const bundlePart: Part = {
  does: 'building dist/berth.mjs',
  isReady: async () => false,
  make: buildBundle,
  wayOut: '`npm run build` shows the messages of the bundler'
}
