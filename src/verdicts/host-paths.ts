import type { HostPath } from '../facts/host-paths.ts'
import { type Judgement, no, yes } from './verdict.ts'

export function judgeHostPaths(paths: Readonly<Record<string, HostPath>>): Judgement {
  const missing = Object.entries(paths).filter(([, { exists, parentWritable }]) => !exists && !parentWritable)
  if (missing.length > 0) {
    const names = missing.map(([path]) => path).join(' and ')
    return no(
      `${names} ${missing.length === 1 ? 'does' : 'do'} not exist and cannot be created on a read-only file system`,
      `Create ${names} in the node image.`
    )
  }
  const created = Object.entries(paths).filter(([, { exists }]) => !exists)
  return created.length === 0
    ? yes(`${Object.keys(paths).join(' and ')} exist`)
    : yes(`${created.map(([path]) => path).join(' and ')} will be created by the container runtime`)
}
