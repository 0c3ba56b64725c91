import { readdir, readFile, readlink } from 'node:fs/promises'

/** The state of a socket that listens, in /proc/net/tcp (include/net/tcp_states.h). */
const LISTENS = '0A'

/** The TCP port that a process listens on, as the kernel knows it; `undefined` while it listens on none. Throws when it has ended. */
export async function listeningPort(pid: number): Promise<number | undefined> {
  const names = await readdir(`/proc/${pid}/fd`)
  // One that was closed meanwhile is none.
  const links = await Promise.all(names.map(name => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
  const own = new Set(links.map(link => /^socket:\[(\d+)\]$/.exec(link)?.[1]))
  const tables = await Promise.all(['tcp', 'tcp6'].map(name => readFile(`/proc/${pid}/net/${name}`, 'utf8')))
  return tables.flatMap(table => listeners(table)).find(({ inode }) => own.has(inode))?.port
}

/** `  0: 0100007F:BC12 00000000:0000 0A …`: number, local address, remote address, state; the inode is the tenth column. */
function listeners(table: string): readonly { readonly port: number; readonly inode: string }[] {
  return table
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === LISTENS)
    .map(columns => ({ port: Number.parseInt(columns[1]?.split(':')[1] ?? '', 16), inode: columns[9] ?? '' }))
}
