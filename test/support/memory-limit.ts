import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'

/** A control group that ends what takes more memory, as the kubelet makes one for a container's limit. For root only. */
export interface MemoryLimit {
  readonly add: (pid: number) => void
  /** Bytes that all in it ever had at once. */
  readonly peak: () => number
  /** When all in it have ended. */
  readonly remove: () => void
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
    remove: () => rmdirSync(directory)
  }
}
