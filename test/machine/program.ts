import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../scripts/steps.ts'
import type { CpioFile } from './cpio.ts'

const launcher = '#!/bin/sh\nexec node /usr/local/lib/berth/berth.mjs "$@"\n'

/** The real program as it is shipped, for a machine's `files`: `berth` on its PATH. The project's global setup has built it. */
export async function berthProgram(): Promise<readonly CpioFile[]> {
  return [
    { path: 'usr/local/lib/berth/berth.mjs', data: await readFile(join(ROOT, 'dist/berth.mjs')) },
    { path: 'usr/local/bin/berth', data: launcher, executable: true }
  ]
}
