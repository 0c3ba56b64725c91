import type { RealNode } from './node.ts'

/** What the agent's user can do in the agent's container. */
export interface Reach {
  readonly uid: number
  /** Files and directories that it could write to, but for its own /proc and /dev. */
  readonly writable: readonly string[]
  /** Why no directory could be made in the node's /dev/shm, where every user may. */
  readonly shm: string
  /** Sockets and named pipes that it could write to, which is what connecting takes. */
  readonly sockets: readonly string[]
  /** Command lines of all processes that it sees anywhere. */
  readonly commands: readonly string[]
  /** Mount points that are not read-only. */
  readonly writableMounts: readonly string[]
  /** Mount points below /host. */
  readonly mounts: readonly string[]
}

const SCRIPT = `
const fs = require('node:fs')
const reach = { uid: process.getuid(), writable: [], shm: 'made', sockets: [], commands: [], writableMounts: [], mounts: [] }
const mayWrite = path => { try { fs.accessSync(path, fs.constants.W_OK); return true } catch { return false } }
const names = path => { try { return fs.readdirSync(path, { withFileTypes: true }) } catch { return [] } }
const walk = path => {
  if (mayWrite(path)) reach.writable.push(path)
  for (const entry of names(path)) {
    const at = (path === '/' ? '' : path) + '/' + entry.name
    if (at === '/proc' || at === '/dev') continue
    if (entry.isDirectory()) walk(at)
    else if (entry.isSocket() || entry.isFIFO()) { if (mayWrite(at)) reach.sockets.push(at) }
    else if (entry.isFile() && mayWrite(at)) reach.writable.push(at)
  }
}
walk('/')
try { fs.rmdirSync(fs.mkdtempSync('/host/dev/shm/berth-')) } catch (error) { reach.shm = error.code }
const processes = proc => {
  for (const { name } of names(proc)) {
    if (!/^\\d+$/.test(name)) continue
    try {
      const command = fs.readFileSync(proc + '/' + name + '/cmdline', 'latin1').replaceAll('\\0', ' ').trim()
      if (command !== '') reach.commands.push(command) // one that has ended has none
    } catch {}
  }
}
processes('/proc')
processes('/host/proc')
for (const line of fs.readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\\n')) {
  const fields = line.split(' ')
  if (fields[4].startsWith('/host/')) reach.mounts.push(fields[4])
  if (!fields[5].split(',').includes('ro')) reach.writableMounts.push(fields[4])
}
console.log(JSON.stringify(reach))
`

/** Looks about in the agent's container as its user, with its binary and in its namespaces. */
export async function reachOf({ run }: Pick<RealNode, 'run'>): Promise<Reach> {
  const found = await run([
    'sh',
    '-c',
    'for pid in /proc/[0-9]*; do grep -qs [b]erth.mjs $pid/cmdline && basename $pid; done; true'
  ])
  const [pid] = found.split('\n')
  if (pid === undefined || pid === '') throw new Error('no process of the agent')
  const inside = ['nsenter', '-t', pid, '--mount', '--pid', '--root', '--wd', '-S', '65532', '-G', '65532'] as const
  return JSON.parse(await run([...inside, '/usr/local/bin/node', '-e', SCRIPT])) as Reach
}

/**
 * Mounts of a container that the runtime makes for it alone, and that no manifest can have read-only. In a user namespace, as this node
 * is one, the devices are mounts too. All but /proc and /dev is found not to be writable.
 */
export const isOfTheRuntime = (point: string): boolean =>
  /^\/(proc|dev)(\/|$)/.test(point) || ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/sys/fs/cgroup'].includes(point)
