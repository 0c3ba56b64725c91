import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const stale = 2 * 60 * 60_000 // milliseconds; a pid says nothing about an owner in another container, its age does

/** A new folder that bears its owner's pid. Those with the same prefix that a killed owner left behind are removed. */
export async function ownFolder(parent: string, prefix: string): Promise<string> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue
    const path = join(parent, name)
    const pid = Number.parseInt(name.slice(prefix.length), 10)
    if (!runs(pid) && (await ageOf(path)) > stale) await rm(path, { recursive: true, force: true })
  }
  return mkdtemp(join(parent, `${prefix}${process.pid}-`))
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0) // signal 0 only asks
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function ageOf(path: string): Promise<number> {
  const entry = await stat(path).catch(() => undefined)
  return entry ? Date.now() - entry.mtimeMs : 0
}
