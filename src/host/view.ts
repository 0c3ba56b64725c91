import { readFileSync } from 'node:fs'
import { HostError, NOT_MOUNTED } from './host.ts'
import { isAt, type MountLine, parseMountTable } from './mount-table.ts'
import { changedMounts, linksAmong, type Tables } from './view-changes.ts'
import { whyNotMounted } from './why-not-mounted.ts'

/** Maps paths of the node to paths of this process. */
export interface View {
  /**
   * The path in this process. Throws `HostError` (`NOT_MOUNTED`) for a path that this process cannot see; such a path may exist.
   * `goal` is the path of the question, if `path` is one of its parent directories.
   */
  readonly place: (path: string, goal?: string) => string
  /** The target of a symbolic link that the container runtime mounted as a directory: `/usr/lib` for `/lib` on most nodes. */
  readonly linkOf: (path: string) => string | undefined
  /** Whether the path belongs to this process itself (below /proc/self); the kernel resolves it. */
  readonly isOwn: (path: string) => boolean
}

/** How long the mount tables are cached (milliseconds): one observation asks for some 600 paths. */
const FRESH = 1_000
const SELF = '/proc/self/mountinfo'
const FIRST = '/proc/1/mountinfo'
/** A directory at the node's root. A chroot mounts /proc, /sys, /dev, /run and /tmp too, so these do not show that this is a pod. */
const PART = /^\/(?!(?:proc|sys|dev|run|tmp)$)[^/]+$/

/** Returns the text of a mount table, or `undefined` if it cannot be read. An empty text is an empty table. */
type ReadTable = (path: string) => string | undefined

const readTable: ReadTable = path => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * The view of a node below `base` (empty for `/`). `base` holds either the node's whole root, or a tree of files, or, in the agent's pod,
 * some directories of the node, each mounted at its own path below `base`. In the pod a path that is not mounted is an empty directory of
 * the container; it says nothing about the node.
 */
export function viewOf(base: string, read: ReadTable = readTable, now = () => performance.now()): View {
  if (base === '') return wholeView(base)
  const table = read(SELF)
  if (table === undefined) return noView(base)
  const own = parseMountTable(table)
  const points = [...own.keys()].filter(point => point.startsWith(`${base}/`)).map(point => point.slice(base.length))
  if (own.has(base) || !points.some(point => PART.test(point))) return wholeView(base)
  const covers = [...own.values()].filter(({ point, type }) => point.startsWith('/proc/') && type !== 'proc')
  const links = linksAmong(mountsBelow(base, own))
  return partialView({ base, points, covers: covers.map(({ point }) => point), links }, read, now)
}

/** The view of a `base` that holds the whole node. */
export const wholeView = (base: string): View => ({
  place: path => base + path,
  linkOf: () => undefined,
  isOwn: () => false
})

/** It is unknown whether `base` holds the whole node or some of its directories, so no path is read. */
const noView = (base: string): View => ({
  ...wholeView(base),
  place: (path, goal = path) => {
    throw new HostError(goal, NOT_MOUNTED, {
      says: `${SELF} cannot be read, so it is unknown what of the node is mounted at ${base}`
    })
  }
})

interface Parts {
  readonly base: string
  /** The mount points of the node's directories, named as on the node. */
  readonly points: readonly string[]
  /** Paths in this process's own /proc that the container runtime has mounted over. */
  readonly covers: readonly string[]
  readonly links: ReadonlyMap<string, string>
}

function partialView({ base, points, covers, links }: Parts, read: ReadTable, now: () => number): View {
  const isMounted = (path: string): boolean => points.some(point => isAt(path, point))
  const isBridge = (path: string): boolean => path === '/' || path === '/proc' || points.some(point => isAt(point, path))
  const changed = remembered(() => changedMounts(readTables(base, read)), now)
  const refuse = (path: string, says: string): never => {
    throw new HostError(path, NOT_MOUNTED, { says })
  }
  return {
    place: (path, goal = path) => {
      if (isMounted(path)) {
        const change = changed().find(({ place }) => isAt(path, place))
        return change === undefined ? base + path : refuse(goal, change.says)
      }
      const cover = covers.find(point => isAt(path, point))
      if (cover !== undefined)
        refuse(goal, `another mount covers ${cover} in this pod; mount the node's directory read-only at ${base}${cover}`)
      if (isOwnProc(path)) return path
      if (!isBridge(path) || path === goal) return refuse(goal, whyNotMounted(goal, base))
      return path === '/proc' ? path : base + path
    },
    linkOf: path => links.get(path),
    isOwn: path => /^\/proc\/self\/(?!.*(^|\/)\.\.(\/|$))/.test(path)
  }
}

/** A path in /proc that is the same in every process namespace: all but the directories of processes. */
const isOwnProc = (path: string): boolean => /^\/proc\/(?!\d+(\/|$))./.test(path)

/** Returns `undefined` if one of the two tables cannot be read. */
function readTables(base: string, read: ReadTable): Tables | undefined {
  const [own, node] = [read(SELF), read(base + FIRST)]
  if (own === undefined || node === undefined) return undefined
  return { own: mountsBelow(base, parseMountTable(own)), node: parseMountTable(node) }
}

const mountsBelow = (base: string, own: ReadonlyMap<string, MountLine>): ReadonlyMap<string, MountLine> =>
  new Map(
    [...own.values()]
      .filter(({ point, type }) => point.startsWith(`${base}/`) && type !== 'proc')
      .map(line => [line.point.slice(base.length), { ...line, point: line.point.slice(base.length) }])
  )

function remembered<T>(read: () => T, now: () => number): () => T {
  let last: { readonly value: T; readonly at: number } | undefined
  return () => {
    if (last === undefined || now() - last.at > FRESH) last = { value: read(), at: now() }
    return last.value
  }
}
