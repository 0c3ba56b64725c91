import { readdirSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

/** A text that differs when another file stands there; empty where none does. Inode numbers alone are used again at once. */
export function identityOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.dev}:${stats.ino} ${stats.ctimeMs}`
}

/** Whether somebody listens on a socket. */
export const answers = (path: string): Promise<boolean> =>
  new Promise(done => {
    const socket = connect(path)
    socket.once('connect', () => done(true)).once('error', () => done(false))
    socket.once('connect', () => socket.destroy())
  })

/** The sockets of a prefix on which somebody else listens. Those on which nobody does were left by a plugin that was killed: removed. */
export async function rivalsIn(folder: string, prefix: string, own: string): Promise<readonly string[]> {
  const rivals: string[] = []
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.sock') || name === own) continue
    if (await answers(join(folder, name))) rivals.push(name)
    else rmSync(join(folder, name), { force: true })
  }
  return rivals
}
