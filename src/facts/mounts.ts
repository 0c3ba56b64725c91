import { completeText, type HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { Unsure } from './fact.ts'

export interface Mount {
  /** Major and minor number of the file system, `259:1`. */
  readonly device: string
  /** The directory of the file system that is mounted, `/` for all of it. */
  readonly root: string
  readonly mountPoint: string
  /** File system type as the mount table names it; statfs cannot tell ext2 from ext4. */
  readonly type: string
  readonly readOnly: boolean
  readonly noExec: boolean
}

const FIRST_PROCESS = '/proc/1/mountinfo'
/** The table of this process. It also has the node's mounts, below the host root, if the node's own table is hidden (hidepid). */
const OWN = '/proc/self/mountinfo'

/** The node's mounts, with their paths on the node. Throws `Unsure` if no table can be read. */
export async function nodeMounts(host: HostReader): Promise<readonly Mount[]> {
  const first = await attempt(() => readMounts(host, FIRST_PROCESS))
  if (first.ok && first.value !== undefined) return first.value
  const own = await attempt(() => ownMounts(host))
  const below = own.ok && own.value !== undefined ? belowHostRoot(own.value) : undefined
  if (below !== undefined) return below
  throw new Unsure(first.ok ? `${FIRST_PROCESS} is missing` : first.why)
}

/** The mounts of this process, with the paths that it sees; `undefined` without such a table. */
export const ownMounts = (host: HostReader): Promise<readonly Mount[] | undefined> => readMounts(host, OWN)

async function readMounts(host: HostReader, path: string): Promise<readonly Mount[] | undefined> {
  const text = await host.read(path)
  if (text === undefined) return undefined
  const mounts = parseMountInfo(completeText(path, text))
  if (mounts === undefined) throw new Unsure(`${path} has a line with an unexpected format`)
  return mounts
}

/**
 * The host root is the deepest directory with both /proc and /sys. In the agent's pod the deepest /sys has no /proc beside it, so there is
 * no host root: the pod's own mounts are not the node's.
 */
function belowHostRoot(mounts: readonly Mount[]): readonly Mount[] | undefined {
  const has = (type: string, path: string) => mounts.some(mount => mount.type === type && mount.mountPoint === path)
  const roots = mounts
    .filter(({ type, mountPoint }) => type === 'sysfs' && mountPoint.endsWith('/sys'))
    .map(({ mountPoint }) => mountPoint.slice(0, -'/sys'.length))
  const [root] = roots.toSorted((a, b) => b.length - a.length)
  if (root === undefined || !has('proc', `${root}/proc`)) return undefined
  return mounts
    .filter(({ mountPoint }) => mountPoint === root || mountPoint.startsWith(`${root}/`) || root === '')
    .map(mount => ({ ...mount, mountPoint: mount.mountPoint.slice(root.length) || '/' }))
}

/** proc_pid_mountinfo(5). `undefined` if any line cannot be parsed: it could be the mount that decides. */
export function parseMountInfo(text: string): readonly Mount[] | undefined {
  const mounts: Mount[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const [, device, root, mountPoint, options, type, superOptions] =
      /^\d+ \d+ (\d+:\d+) (\S+) (\/\S*) (\S+)(?: [\w]+(?::\d+)?)* - (\S+) \S*(?: (\S*))?$/.exec(line) ?? []
    if (device === undefined || root === undefined || mountPoint === undefined || options === undefined || type === undefined)
      return undefined
    const flags = options.split(',')
    const readOnly = flags.includes('ro') || (superOptions ?? '').split(',').includes('ro')
    const noExec = flags.includes('noexec')
    mounts.push({ device, root: plainPath(root), mountPoint: plainPath(mountPoint), type, readOnly, noExec })
  }
  return mounts
}

/** mountinfo has space, tab, newline and backslash as octal numbers. */
const plainPath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** The mount with the longest mount point that contains the path; of several, the last, which covers the others. */
export const mountHolding = <M extends Pick<Mount, 'mountPoint'>>(mounts: readonly M[], path: string): M | undefined =>
  mounts
    .filter(({ mountPoint }) => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`))
    .reduce<M | undefined>((best, mount) => (best && best.mountPoint.length > mount.mountPoint.length ? best : mount), undefined)

/**
 * The paths on the node of what is mounted into this pod, for example containerd's /etc/resolv.conf below /var/lib/containerd. They
 * contain no symbolic links.
 */
export const placesOnNode = (own: readonly Mount[], node: readonly Mount[]): readonly string[] =>
  own.flatMap(({ device, root }) =>
    node
      .filter(mount => mount.device === device && (mount.root === '/' || `${root}/`.startsWith(`${mount.root}/`)))
      .map(mount => ({ mount, place: withoutSlash(mount.mountPoint) + root.slice(withoutSlash(mount.root).length) }))
      .filter(({ mount, place }) => mountHolding(node, place) === mount)
      .map(({ place }) => place)
  )

const withoutSlash = (path: string): string => (path === '/' ? '' : path)
