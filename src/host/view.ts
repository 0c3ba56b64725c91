import { readFileSync } from 'node:fs'
import { HostError, NOT_MOUNTED } from './host.ts'
import { isAt, type MountLine, parseMountTable } from './mount-table.ts'
import { changedMounts, linksAmong, type Tables } from './view-changes.ts'
import { whyNotMounted } from './view-text.ts'

/** Where the paths of a node lie for this process. */
export interface View {
  /**
   * Throws `HostError` (`NOT_MOUNTED`) for a path that cannot be seen from here, which is not the same as a path that is not there.
   * `goal`: the path that is asked about, where this one is only on the way to it.
   */
  readonly place: (path: string, goal?: string) => string
  /** Where a directory leads that was mounted by the name of a symbolic link: `/usr/lib` for `/lib` on most nodes. */
  readonly linkOf: (path: string) => string | undefined
  /** The kernel follows it: of this process itself. */
  readonly isOwn: (path: string) => boolean
}

/** How long the mount tables are believed (milliseconds): one look asks some 600 paths. */
const FRESH = 1_000
const SELF = '/proc/self/mountinfo'
const FIRST = '/proc/1/mountinfo'
/** A directory of the node's root, but for those that a chroot has mounted too: by these a tree of files is not a node's parts. */
const PART = /^\/(?!(?:proc|sys|dev|run|tmp)$)[^/]+$/

/** The text of a mount table; `undefined` where it cannot be read, which is not the same as an empty one. */
type ReadTable = (path: string) => string | undefined

const readTable: ReadTable = path => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * The view of a node below `base` (empty for `/`). Either the node's whole root is there, or a tree of files, or, as in the agent's pod,
 * only some directories of the node, each mounted at its own path below `base`. What is not mounted then shows as the empty folders of
 * the container's own root, and must not be taken for what the node has.
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

/** All of what lies below `base` is the node. */
export const wholeView = (base: string): View => ({
  place: path => base + path,
  linkOf: () => undefined,
  isOwn: () => false
})

/** Whether all of the node lies below `base`, or only some of its directories, cannot be told: then nothing there is taken for the node's. */
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
  /** What is mounted of the node, by its names. */
  readonly points: readonly string[]
  /** What a runtime has laid over places of this process's own /proc. */
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

/** Of a procfs: all but the processes, which are other ones in another process namespace. The rest is one for the whole kernel. */
const isOwnProc = (path: string): boolean => /^\/proc\/(?!\d+(\/|$))./.test(path)

/** `undefined` where one of the two tables cannot be read. */
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
