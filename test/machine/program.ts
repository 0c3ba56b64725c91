import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../packaging/root.ts'
import type { CpioFile } from './cpio.ts'

// What V8 compiles to machine code the emulator has to translate again and again: a cycle takes 3 instead of 5 s without.
const launcher = `#!/bin/sh
NODE_COMPILE_CACHE=/var/cache/berth exec node --jitless /usr/local/lib/berth/berth.mjs "$@"
`

/** The real program as it is shipped, for a machine's `files`: `berth` on its PATH. The project's global setup has built it. */
export async function berthProgram(): Promise<readonly CpioFile[]> {
  return [
    { path: 'usr/local/lib/berth/berth.mjs', data: await readFile(join(ROOT, 'dist/berth.mjs')) },
    { path: 'usr/local/bin/berth', data: launcher, executable: true }
  ]
}
