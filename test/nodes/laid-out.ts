import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { rootOnly } from './modes.ts'
import { type Entry, type Machine, normalised } from './played.ts'

/** Makes an entry of a machine's tree a real one below `root`. A device is made a directory; see `layOut` for real ones. */
export async function put(root: string, path: string, entry: Entry): Promise<void> {
  const at = join(root, path)
  if (path !== '/') await rm(at, { recursive: true, force: true })
  await mkdir(dirname(at), { recursive: true })
  if (typeof entry === 'string') await writeFile(at, entry)
  else if (entry?.kind === 'link') await symlink(entry.target, at)
  else await mkdir(at, { recursive: true })
}

/** Makes all of a machine real below `root`, its devices and modes too. Needs root. */
export async function layOut(root: string, machine: Machine): Promise<void> {
  for (const [path, entry] of normalised(machine.tree)) {
    const at = join(root, path)
    if (typeof entry === 'object' && entry.kind === 'character') {
      execFileSync('mknod', [`--mode=${entry.mode.toString(8)}`, at, 'c', ...entry.device.split(':')])
    } else {
      await put(root, path, entry)
    }
  }
  chmodSync(root, 0o755)
  for (const { path, mode } of rootOnly(machine)) chmodSync(join(root, path), mode)
}
