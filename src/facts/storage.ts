import { completeText, type HostReader } from '../host/host.ts'
import { type Detector, Unsure } from './fact.ts'

export interface Storage {
  /** The directory that was asked for, or the nearest one above it that is there. */
  readonly path: string
  readonly mountPoint: string
  /** File system type as the mount table names it; statfs cannot tell ext2 from ext4. */
  readonly type: string
  readonly readOnly: boolean
  readonly noExec: boolean
  /** Bytes free for an ordinary user, and in all. */
  readonly free: number
  readonly total: number
}

/** Where kubelets keep their pods' volumes: the usual place, microk8s, k0s. */
const KUBELET_ROOTS = ['/var/lib/kubelet', '/var/snap/microk8s/common/var/lib/kubelet', '/var/lib/k0s/kubelet'] as const

/** The file system of the kubelet's root, on which the volumes of workspaces lie. */
export const detectStorage: Detector<Storage> = async ({ host }) => storageOf(host, await kubeletRoot(host))

/** The kubelet's root, links resolved, or the nearest directory above it that is there. */
export const dataPlace = async (host: HostReader): Promise<string> => nearest(host, await kubeletRoot(host))

async function kubeletRoot(host: HostReader): Promise<string> {
  for (const path of KUBELET_ROOTS) {
    if ((await host.stat(path)) !== undefined) return path
  }
  return KUBELET_ROOTS[0]
}

/** Where a Sysbox on the node keeps its containers. */
export const detectSysboxStorage: Detector<Storage> = ({ host }) => storageOf(host, '/var/lib/sysbox')

export const detectVarLib: Detector<Storage> = ({ host }) => storageOf(host, '/var/lib')

export interface HostPath {
  readonly exists: boolean
  /** Without it, the container runtime creates the directory when its parent's file system can be written. */
  readonly parentWritable: boolean
}

/** The node's directories that the outer container of a CVM mounts. */
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

async function storageOf(host: HostReader, wanted: string): Promise<Storage> {
  const path = await nearest(host, wanted)
  const mount = await mountOf(host, path)
  const space = await host.statfs(path)
  if (space === undefined) throw new Unsure(`${path} vanished while it was looked at`)
  return { path, ...mount, ...space }
}

/** The path itself, links resolved, or the nearest directory above it that is there. */
async function nearest(host: HostReader, path: string): Promise<string> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const real = await host.realpath(at)
    if (real !== undefined) return real
  }
  return '/'
}

const MOUNTINFO = '/proc/1/mountinfo'

type Mount = Pick<Storage, 'mountPoint' | 'type' | 'readOnly' | 'noExec'>

async function mountOf(host: HostReader, path: string): Promise<Mount> {
  const text = await host.read(MOUNTINFO)
  if (text === undefined) throw new Unsure(`${MOUNTINFO} is not there`)
  const mounts = parseMountInfo(completeText(MOUNTINFO, text))
  const mount = mounts && mountHolding(mounts, path)
  if (mount === undefined) throw new Unsure(`${MOUNTINFO} does not say which mount holds ${path}`)
  return mount
}

/** proc_pid_mountinfo(5). `undefined` as soon as one line cannot be understood: it could be the mount that decides. */
export function parseMountInfo(text: string): readonly Mount[] | undefined {
  const mounts: Mount[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const [, mountPoint, options, type, superOptions] =
      /^\d+ \d+ \d+:\d+ \S+ (\/\S*) (\S+)(?: [\w]+(?::\d+)?)* - (\S+) \S*(?: (\S*))?$/.exec(line) ?? []
    if (mountPoint === undefined || options === undefined || type === undefined) return undefined
    const flags = options.split(',')
    const readOnly = flags.includes('ro') || (superOptions ?? '').split(',').includes('ro')
    mounts.push({ mountPoint: plainPath(mountPoint), type, readOnly, noExec: flags.includes('noexec') })
  }
  return mounts
}

/** Space, tab, newline and backslash stand as octal numbers there. */
const plainPath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** The longest mount point that holds the path; of equals the last, which lies on top. */
export const mountHolding = (mounts: readonly Mount[], path: string): Mount | undefined =>
  mounts
    .filter(({ mountPoint }) => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`))
    .reduce<Mount | undefined>(
      (best, mount) => (best && best.mountPoint.length > mount.mountPoint.length ? best : mount),
      undefined
    )
