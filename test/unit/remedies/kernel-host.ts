import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { localWriter } from '../../../src/host/local-writer.ts'
import type { HostWriter } from '../../../src/host/writer.ts'

/** A root whose files of /proc/sys behave as the kernel's: a write replaces the whole value. */
export const kernelHost = (root: string): HostWriter => ({
  ...localWriter(root),
  put: (path, text) => Promise.resolve(writeFileSync(join(root, path), text))
})
