import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { ownFolder } from '../test/support/own-folder.ts'

/** Files of ours that a process sees in place of the machine's, so that what changes for it does not change for the machine. */
export interface Stage {
  /** The start of a command line: runs the rest with our files mounted over the machine's, in a mount namespace of its own. */
  readonly inside: readonly string[]
  /** Gives the operating system another version. */
  readonly setVersion: (version: number) => Promise<void>
  readonly setFuseMode: (mode: number) => Promise<void>
  readonly close: () => Promise<void>
}

const MOUNTS = 'mount --bind "$0/os-release" /etc/os-release && mount --bind "$0/fuse" /dev/fuse && exec "$@"'

/** Needs root. */
export async function openStage(): Promise<Stage> {
  const folder = await ownFolder(tmpdir(), 'berth-compare-')
  const [release, fuse] = [join(folder, 'os-release'), join(folder, 'fuse')]
  await copyFile('/etc/os-release', release)
  await execa('mknod', ['-m', '0666', fuse, 'c', '10', '229']) // as /dev/fuse: admin-guide/devices.txt
  return {
    inside: ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', MOUNTS, folder],
    setVersion: async version => {
      const text = await readFile(release, 'utf8')
      await writeFile(release, `${text.replace(/^VERSION_ID=.*\n/gm, '')}VERSION_ID="${version}"\n`)
    },
    setFuseMode: mode => chmod(fuse, mode),
    close: () => rm(folder, { recursive: true, force: true })
  }
}
