import type { HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { mountOf, nearest } from './disk.ts'

export interface HostPath {
  readonly exists: boolean
  /** If the directory is missing, the container runtime creates it if its parent's file system is writable. */
  readonly parentWritable: boolean
}

/** Directories of the node that the outer container of a CVM mounts. */
export const HOST_PATHS = ['/usr/src', '/lib/modules'] as const

export const detectHostPaths: Detector<Readonly<Record<(typeof HOST_PATHS)[number], HostPath>>> = async ({ host }) => {
  const [src, modules] = await Promise.all(HOST_PATHS.map(path => hostPath(host, path)))
  return { '/usr/src': src as HostPath, '/lib/modules': modules as HostPath }
}

async function hostPath(host: HostReader, path: string): Promise<HostPath> {
  const stat = await host.stat(path)
  if (stat !== undefined) return { exists: stat.kind === 'directory', parentWritable: stat.kind === 'directory' }
  const mount = await mountOf(host, await nearest(host, path))
  return { exists: false, parentWritable: !mount.readOnly }
}

export const hostPathsFact = defineFact({
  name: 'host-paths',
  describes: 'whether `/usr/src` and `/lib/modules` exist or can be created',
  detect: detectHostPaths,
  format: paths =>
    Object.entries(paths)
      .map(([path, { exists, parentWritable }]) => `${path} ${exists ? 'exists' : parentWritable ? 'can be created' : 'missing'}`)
      .join(', ')
})
