import type { HostPath } from '../facts/host-paths.ts'
import { type Judgement, no, yes } from './verdict.ts'

export function judgeHostPaths(paths: Readonly<Record<string, HostPath>>): Judgement {
  const lacking = Object.entries(paths).filter(([, { exists, parentWritable }]) => !exists && !parentWritable)
  if (lacking.length > 0) {
    const names = lacking.map(([path]) => path).join(' and ')
    return no(
      `${names} is not there and cannot be created, since the file system above it is read-only`,
      `Create ${names} in the node image.`
    )
  }
  const created = Object.entries(paths).filter(([, { exists }]) => !exists)
  return created.length === 0
    ? yes(`${Object.keys(paths).join(' and ')} are there`)
    : yes(`${created.map(([path]) => path).join(' and ')} will be created by the container runtime`)
}
