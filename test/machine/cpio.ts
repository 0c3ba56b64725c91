import { Buffer } from 'node:buffer'

export interface CpioFile {
  /** Relative, without `.` and `..`. */
  readonly path: string
  readonly data: Buffer | string
  readonly executable?: boolean
}

/**
 * An archive that the kernel unpacks as its first file system (`Documentation/driver-api/early-userspace/buffer-format.rst`),
 * with the folders that the files need. Several of them, one after the other, are unpacked over each other.
 */
export function cpio(files: readonly CpioFile[]): Buffer {
  const folders = new Set(files.flatMap(({ path }) => parents(path)))
  const parts = [
    ...[...folders].map((path, index) => entry(path, 0o040755, { data: '', inode: index + 1 })),
    ...files.map(({ path, data, executable }, index) =>
      entry(path, executable ? 0o100755 : 0o100644, { data, inode: folders.size + index + 1 })
    ),
    entry('TRAILER!!!', 0, { data: '', inode: 0 })
  ]
  return padded(Buffer.concat(parts), 512)
}

function parents(path: string): readonly string[] {
  const names = path.split('/').slice(0, -1)
  return names.map((_, index) => names.slice(0, index + 1).join('/'))
}

function entry(path: string, mode: number, { data, inode }: { data: Buffer | string; inode: number }): Buffer {
  const content = Buffer.from(data as string)
  const name = Buffer.from(`${path}\0`)
  // inode, mode, uid, gid, links, mtime, size, four device numbers, length of the name, checksum (unused)
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const header = `070701${numbers.map(number => number.toString(16).padStart(8, '0')).join('')}`
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name]), 4), padded(content, 4)])
}

const padded = (data: Buffer, unit: number): Buffer => Buffer.concat([data, Buffer.alloc((unit - (data.length % unit)) % unit)])
