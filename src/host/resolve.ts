import { lstatSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { ERRNO_TEXTS, HostError } from './host.ts'
import { type View, wholeView } from './view.ts'

/** The kernel follows at most this many links in one path (path_resolution(7)). */
const LINK_LIMIT = 40

/**
 * Resolves a path of the node inside the root: every symbolic link, absolute ones too; `..` stops at the root.
 * The kernel would resolve an absolute link of the node in the container's file system, which is not the node's.
 * It is synchronous: an observation resolves some 600 paths, the kernel has them in memory, and a thread for each costs ten times the call.
 * Returns the resolved path, named as on the node, or `undefined` if a part of it does not exist. Errors carry the errno; a path outside
 * of the view throws a `HostError`.
 */
export function resolveInside(root: string, path: string, view: View = wholeView(root)): string | undefined {
  if (view.isOwn(path)) return path
  const todo = names(path)
  let done = '/'
  for (let links = 0; todo.length > 0; ) {
    const part = todo.pop() as string
    const next = part === '..' ? posix.dirname(done) : posix.join(done, part)
    const { kind, target } = entryAt(view, next, posix.join(next, ...todo.toReversed()))
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

interface Entry {
  readonly kind: 'none' | 'directory' | 'other'
  /** The target, if it is a symbolic link. */
  readonly target?: string | undefined
}

function entryAt(view: View, path: string, goal: string): Entry {
  const place = view.place(path, goal)
  const stats = lstat(place)
  if (stats === undefined) return { kind: 'none' }
  const target = view.linkOf(path) ?? (stats.isSymbolicLink() ? readlinkSync(place) : undefined)
  return { kind: stats.isDirectory() ? 'directory' : 'other', target }
}

const refuseLoop = (path: string, links: number): void => {
  if (links > LINK_LIMIT) throw new HostError(path, 'ELOOP', { says: ERRNO_TEXTS['ELOOP'] as string })
}

/** The parts of a path in reverse order. */
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

/** Returns `undefined` for an error that means that the path does not exist. Throws any other error. */
export const missing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
