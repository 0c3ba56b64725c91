import { holding, isAt, type MountLine } from './mount-table.ts'

type Mounts = ReadonlyMap<string, MountLine>

export interface Tables {
  /** The mounts of this process below the host root; mount points are named as on the node. */
  readonly own: Mounts
  readonly node: Mounts
}

/** A path that shows something else in this pod than on the node. */
export interface Change {
  readonly place: string
  readonly says: string
}

/**
 * Lists what the node has mounted or unmounted since this pod started. A directory that is mounted without propagation keeps the mounts of
 * that time: later mounts are missing, and mounts that the node has removed remain. If a table cannot be read, every path may have changed.
 */
export function changedMounts(tables: Tables | undefined): readonly Change[] {
  if (tables === undefined) return [UNKNOWN]
  const { own, node } = tables
  const links = linksAmong(own)
  return tops(own)
    .filter(({ point }) => !links.has(point))
    .flatMap(top => changesBelow(top, own, node))
}

const UNKNOWN: Change = {
  place: '/',
  says: "the node's /proc/1/mountinfo cannot be read, so it is unknown what the node has mounted since this pod started; mount that file read-only at the same place below the host root"
}

function changesBelow(top: MountLine, own: Mounts, node: Mounts): readonly Change[] {
  const real = top.root.endsWith(REMOVED) ? undefined : placeOf(top, node)
  if (real === undefined) return [changed(top.point, 'the node has mounted something else there, or removed it')]
  const here = below(own, top.point)
  const there = below(node, real)
  const names = new Set([...here.keys(), ...there.keys()])
  return [...names].flatMap(name => {
    const [mine, its] = [here.get(name), there.get(name)]
    if (mine !== undefined && its !== undefined && isSame(mine, its)) return []
    return [changed(top.point + name, its === undefined ? 'the node has unmounted it' : 'the node has mounted something there')]
  })
}

const changed = (place: string, what: string): Change => ({
  place,
  says: `${what} since this pod started, and this pod still shows ${place} as it was; delete the pod: its replacement shows the change`
})

/** The mounts that do not lie below another mount. */
const tops = (own: Mounts): readonly MountLine[] =>
  [...own.values()].filter(({ point }) => ![...own.keys()].some(other => other !== point && isAt(point, other)))

/** The kernel's mark for a mounted directory that has been removed (fs/d_path.c). */
const REMOVED = '//deleted'

/** The mounts below a directory, by the rest of their paths. */
const below = (mounts: Mounts, directory: string): Mounts =>
  new Map(
    [...mounts]
      .filter(([point]) => point !== directory && isAt(point, directory))
      .map(([point, line]) => [point.slice(directory.length), line])
  )

/** The path on the node, links resolved, of a directory that is mounted here; `undefined` if it has none or another mount covers it. */
function placeOf(top: MountLine, node: Mounts): string | undefined {
  const places = [...node.values()]
    .filter(({ device, root }) => device === top.device && isAt(top.root, root))
    .map(line => ({ line, place: joined(line.point, rest(top.root, line.root)) }))
    .filter(({ line, place }) => holding(node, place) === line)
    .map(({ place }) => place)
  return places.find(place => place === top.point) ?? places[0]
}

/** The root of a cgroup mount depends on the reader's cgroup namespace, so it is not compared. */
const isSame = (mine: MountLine, its: MountLine): boolean =>
  mine.device === its.device && (mine.root === its.root || mine.type.startsWith('cgroup'))

/** The targets of directories that were mounted by the name of a symbolic link: they are a part of another mounted directory. */
export function linksAmong(own: Mounts): ReadonlyMap<string, string> {
  const all = tops(own)
  return new Map(
    all.flatMap(({ point, device, root }) => {
      const whole = all.find(
        other => other.point !== point && other.device === device && other.root !== root && isAt(root, other.root)
      )
      return whole === undefined ? [] : [[point, joined(whole.point, rest(root, whole.root))] as const]
    })
  )
}

const rest = (path: string, directory: string): string => (directory === '/' ? path : path.slice(directory.length))
const joined = (directory: string, more: string): string =>
  directory === '/' ? more || '/' : directory + (more === '/' ? '' : more)
