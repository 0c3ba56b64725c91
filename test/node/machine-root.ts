import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execaSync } from 'execa'
import { type Entry, type Machine, normalised } from '../nodes/played.ts'

const BOOT = '/proc/sys/kernel/random/boot_id'

/**
 * Makes a folder the root of a played machine, in place of whatever machine it was before. What shows an agent that something changed
 * comes last, so that it does not take half a machine for a whole one. Needs root, for devices.
 */
export function layMachine(machine: Machine, bootId: string, root: string): void {
  const draft = `${root}.draft`
  mkdirSync(join(draft, 'etc/modprobe.d'), { recursive: true })
  for (const [path, entry] of normalised({ ...machine.tree, [BOOT]: bootId })) lay(join(draft, path), entry)
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true })
  for (const name of readdirSync(draft).sort((a, b) => Number(a === 'etc') - Number(b === 'etc'))) {
    renameSync(join(draft, name), join(root, name))
  }
  rmSync(draft, { recursive: true })
}

function lay(path: string, entry: NonNullable<Entry>): void {
  mkdirSync(dirname(path), { recursive: true })
  if (typeof entry === 'string') writeFileSync(path, entry)
  else if (entry.kind === 'directory') mkdirSync(path, { recursive: true })
  else if (entry.kind === 'link') symlinkSync(entry.target, path)
  else if (entry.kind === 'closed') layClosed(path, entry.as)
  else layNode(path, entry.kind, entry)
}

function layClosed(path: string, as: 'file' | 'directory'): void {
  if (as === 'file') writeFileSync(path, '')
  else mkdirSync(path, { recursive: true })
  chmodSync(path, 0)
}

const MKNOD = { character: 'c', block: 'b', fifo: 'p' } as const

function layNode(
  path: string,
  kind: keyof typeof MKNOD | 'socket',
  wanted: { readonly mode: number; readonly device: string }
): void {
  const { mode, device } = wanted
  if (kind === 'socket')
    execaSync('perl', ['-MIO::Socket::UNIX', '-e', 'IO::Socket::UNIX->new(Local => shift, Listen => 1)', path])
  else execaSync('mknod', [path, MKNOD[kind], ...(device === '' ? [] : device.split(':'))])
  chmodSync(path, mode)
}
