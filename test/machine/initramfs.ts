import type { Buffer } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cpio } from './cpio.ts'

/** What Debian's kernels do not have built in of a virtual machine's disk and channel. */
const NEEDED = ['virtio_pci', 'virtio_blk', 'virtio_console']

/**
 * A kernel's part of the first file system: a static busybox, and the modules to reach the disk and the host with; as they are,
 * since a kernel whose modules are compressed unpacks them itself.
 */
export async function firstFileSystem(root: string, release: string): Promise<Buffer> {
  const folder = join(root, 'usr/lib/modules', release)
  const paths = inOrder(await readFile(join(folder, 'modules.dep'), 'utf8'))
  const modules = await Promise.all(
    paths.map(async path => ({ path: `modules/${basename(path)}`, data: await readFile(join(folder, path)) }))
  )
  return cpio([
    { path: 'bin/busybox', data: await readFile(join(root, 'usr/bin/busybox')), executable: true },
    { path: 'modules/order', data: `${paths.map(path => basename(path)).join('\n')}\n` },
    ...modules
  ])
}

/** Parses `modules.dep` (`path: path of a dependency, nearest first`): the needed modules, each after what it depends on. */
function inOrder(text: string): readonly string[] {
  const lines = text.split('\n').map(line => line.split(/:? /).map(path => path.replace(/:$/, '')))
  const nameOf = (path = '') => basename(path).replace(/\.ko.*$/, '')
  const wanted = lines.filter(([path]) => NEEDED.includes(nameOf(path)))
  return [...new Set(wanted.flatMap(paths => paths.toReversed()))]
}
