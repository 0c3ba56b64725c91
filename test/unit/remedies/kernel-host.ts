import { renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { localWriter } from '../../../src/host/local-writer.ts'
import type { HostWriter } from '../../../src/host/writer.ts'

/** A root whose files of /proc/sys behave as the kernel's: a write replaces the whole value. */
export const kernelHost = (root: string): HostWriter => ({
  ...localWriter(root),
  put: (path, text) => Promise.resolve(writeWhole(join(root, path), text))
})

/** No reader ever sees a value of /proc/sys half written, as it would see a file that is being emptied first. */
export function writeWhole(path: string, text: string): void {
  // As the kernel: a file that is not there is not made.
  statSync(path)
  writeFileSync(`${path}.${process.pid}.new`, text)
  renameSync(`${path}.${process.pid}.new`, path)
}
