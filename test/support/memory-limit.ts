import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = '/sys/fs/cgroup'

/** A control group that ends what takes more memory, as the kubelet makes one for a container's limit. For root only. */
export interface MemoryLimit {
  readonly add: (pid: number) => void
  /** Bytes that all in it ever had at once. */
  readonly peak: () => number
  /** Waits until all in it have ended: a process may outlive the one that started it by a moment. Rejects after ten seconds. */
  readonly remove: () => Promise<void>
}

/** Throws where this machine lets nobody make one. */
export function memoryLimit(name: string, bytes: number): MemoryLimit {
  const isV1 = existsSync(join(ROOT, 'memory/memory.limit_in_bytes'))
  const directory = join(ROOT, isV1 ? 'memory' : '', name)
  if (!isV1) writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+memory')
  mkdirSync(directory)
  writeFileSync(join(directory, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes))
  return {
    add: pid => writeFileSync(join(directory, 'cgroup.procs'), String(pid)),
    peak: () => Number(readFileSync(join(directory, isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8')),
    remove: () => removeWhenEmpty(directory)
  }
}

const PATIENCE = 10_000 // milliseconds

async function removeWhenEmpty(directory: string): Promise<void> {
  const until = performance.now() + PATIENCE
  for (;;) {
    try {
      return rmdirSync(directory)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || performance.now() > until) throw error
      await sleep(50)
    }
  }
}
