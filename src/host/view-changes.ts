import { holding, isAt, type MountLine } from './mount-table.ts'

type Mounts = ReadonlyMap<string, MountLine>

export interface Tables {
  /** The mounts of this process below the host root; mount points are named as on the node. */
  readonly own: Mounts
  readonly node: Mounts
}

/** A place of the node that shows something else here than it does there. */
export interface Change {
  readonly place: string
  readonly says: string
}

/**
 * What the node has mounted or unmounted since this view of it was made. A directory that is mounted without propagation stays as it was
 * then: below it a new mount is not there, and one that went is still there. Without both tables, anything may have
 * changed.
 */
export function changedMounts(tables: Tables | undefined): readonly Change[] {
  if (tables === undefined) return [UNTOLD]
  const { own, node } = tables
  const links = linksAmong(own)
  return tops(own)
    .filter(({ point }) => !links.has(point))
    .flatMap(top => changesBelow(top, own, node))
}

const UNTOLD: Change = {
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

/** The mounts that are not below another one. */
const tops = (own: Mounts): readonly MountLine[] =>
  [...own.values()].filter(({ point }) => ![...own.keys()].some(other => other !== point && isAt(point, other)))

/** As the kernel marks a directory that is mounted and was removed (fs/d_path.c). */
const REMOVED = '//deleted'

/** What is mounted below a directory, by the rest of its path. */
const below = (mounts: Mounts, directory: string): Mounts =>
  new Map(
    [...mounts]
      .filter(([point]) => point !== directory && isAt(point, directory))
      .map(([point, line]) => [point.slice(directory.length), line])
  )

/** Where the node has what is mounted here, links resolved; `undefined` where it is nowhere, or something lies over it. */
function placeOf(top: MountLine, node: Mounts): string | undefined {
  const places = [...node.values()]
    .filter(({ device, root }) => device === top.device && isAt(top.root, root))
    .map(line => ({ line, place: joined(line.point, rest(top.root, line.root)) }))
    .filter(({ line, place }) => holding(node, place) === line)
    .map(({ place }) => place)
  return places.find(place => place === top.point) ?? places[0]
}

/** The roots of cgroups are told as the reader's cgroup namespace has them. */
const isSame = (mine: MountLine, its: MountLine): boolean =>
  mine.device === its.device && (mine.root === its.root || mine.type.startsWith('cgroup'))

/** Directories that are a part of another one here: mounted by the name of a symbolic link, and where that leads. */
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
