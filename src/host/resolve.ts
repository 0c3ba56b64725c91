import { lstatSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { ERRNO_TEXTS, HostError } from './host.ts'
import { type View, wholeView } from './view.ts'

/** As many links as the kernel follows in one path (path_resolution(7)). */
const LINK_LIMIT = 40

/**
 * Where a path of the node leads, below the root: every symbolic link resolved inside it, absolute ones too, and `..` stops at it.
 * The kernel would resolve an absolute link of the node in our own file system, which shows the container instead of the node.
 * Synchronous, since a look asks some 600 names, in memory on any node, and a thread for each costs ten times the call itself.
 * Returns the resolved path as the node would name it, or `undefined` when a part of it is not there. Errors carry the errno; what lies
 * outside of the view is a `HostError`.
 */
export function resolveInside(root: string, path: string, view: View = wholeView(root)): string | undefined {
  if (view.isOwn(path)) return path
  const todo = names(path)
  let done = '/'
  for (let links = 0; todo.length > 0; ) {
    const part = todo.pop() as string
    const next = part === '..' ? posix.dirname(done) : posix.join(done, part)
    const { kind, target } = thingAt(view, next, posix.join(next, ...todo.toReversed()))
    if (target !== undefined) {
      links += 1
      refuseLoop(path, links)
      done = posix.resolve(done, target.startsWith('/') ? '/' : '.')
      todo.push(...names(target))
    } else if (kind === 'directory' || (kind === 'other' && todo.length === 0)) {
      done = next
    } else {
      return undefined
    }
  }
  return done
}

interface Thing {
  readonly kind: 'none' | 'directory' | 'other'
  /** Where it leads, if it is a symbolic link. */
  readonly target?: string | undefined
}

function thingAt(view: View, path: string, goal: string): Thing {
  const place = view.place(path, goal)
  const stats = lstat(place)
  if (stats === undefined) return { kind: 'none' }
  const target = view.linkOf(path) ?? (stats.isSymbolicLink() ? readlinkSync(place) : undefined)
  return { kind: stats.isDirectory() ? 'directory' : 'other', target }
}

const refuseLoop = (path: string, links: number): void => {
  if (links > LINK_LIMIT) throw new HostError(path, 'ELOOP', { says: ERRNO_TEXTS['ELOOP'] as string })
}

/** The parts of a path, the first last. */
const names = (path: string): string[] =>
  path
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .reverse()

const lstat = (path: string) => {
  try {
    return lstatSync(path)
  } catch (error) {
    return missing(error as NodeJS.ErrnoException)
  }
}

/** Not there is `undefined`; whatever else went wrong goes on. */
export const missing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
