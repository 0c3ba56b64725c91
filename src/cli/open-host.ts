import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../cycle/cycle.ts'
import { type NodeObject, parseNode } from '../facts/node-object.ts'
import { observe } from '../facts/observe.ts'
import { apartHost } from '../host/apart.ts'
import { ERRNO_TEXTS, type HostReader } from '../host/host.ts'
import { localHost } from '../host/local.ts'
import { witness } from '../host/witness.ts'
import { CommandError, type Surroundings } from './command.ts'

/** Reads from the node whose root is mounted in this directory, or from a recorded node in a file. Throws `CommandError`. */
export async function openHost(root: string, open: (root: string) => HostReader = localHost): Promise<HostReader> {
  const stats = await stat(root).catch((error: NodeJS.ErrnoException) => {
    throw optionError('host-root', root, error.code === 'ENOENT' ? 'there is no such directory or file' : reasonOf(error))
  })
  if (stats.isDirectory()) return open(root)
  if (!stats.isFile()) throw optionError('host-root', root, 'it is neither a directory nor a file')
  const { parseRecording, recordedHost } = await import('../host/recorded.ts')
  return recordedHost(await parseFile('host-root', root, parseRecording))
}

interface DaemonHost {
  readonly host: HostReader
  /** Why no file of the node can be read. */
  readonly missing?: string
  readonly close: () => void
}

/**
 * The same for a daemon. It reads in a process of its own, because a mount that hangs must not stop the daemon. Without a host root, as in
 * a pod whose mount is missing, it returns a host that has no files, and the reason.
 */
export async function openHostOrNone(root: string, surroundings: Pick<Surroundings, 'program'>): Promise<DaemonHost> {
  let close = (): void => undefined
  const open = (directory: string): HostReader => {
    const { program } = surroundings
    if (program === undefined) return localHost(directory)
    const host = apartHost(directory, { program })
    close = host.close
    return host
  }
  try {
    const host = await openHost(root, open)
    return { host, close }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { host: localHost(root), missing: error.message, close }
  }
}

/**
 * Begins to observe while the Kubernetes client is loaded and the API answers. The cycle that follows gets these answers from memory.
 * The inventory is left to `startInventory`: starting its programs would block this process for longer than all other facts take.
 */
export function observeEarly(host: HostReader, { elapsed }: Clock): HostReader {
  const remembering = witness(host).host
  const sources = { host: { ...remembering, inventory: () => NEVER }, node: undefined, podSecurity: undefined }
  observe(sources, elapsed).catch(() => undefined)
  return remembering
}

const NEVER = new Promise<never>(() => undefined)

/** Begins to take the inventory. Call it while a request to the API is under way. */
export const startInventory = (host: HostReader): void => {
  host.inventory().catch(() => undefined)
}

/** The Node object in a file; `undefined` if `path` is empty. Throws `CommandError`. */
export async function readNode(path: string): Promise<NodeObject | undefined> {
  if (path === '') return undefined
  const { load } = await import('js-yaml')
  // JSON is a subset of YAML, so one parser reads both.
  return await parseFile('node', path, text => parseNode(load(text)))
}

async function parseFile<T>(option: string, path: string, parse: (text: string) => T): Promise<T> {
  const text = await readUpToLimit(option, path)
  try {
    return parse(text)
  } catch (error) {
    throw optionError(option, path, (error as Error).message, error)
  }
}

const SIZE_LIMIT = 16 * 1024 * 1024

async function readUpToLimit(option: string, path: string): Promise<string> {
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw optionError(option, path, 'it is not a file')
    if (stats.size > SIZE_LIMIT) throw optionError(option, path, `it is larger than ${SIZE_LIMIT / 1024 / 1024} MiB`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof CommandError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw optionError(option, path, code === 'ENOENT' ? 'there is no such file' : reasonOf(error as NodeJS.ErrnoException), error)
  }
}

const reasonOf = ({ code = '', message }: NodeJS.ErrnoException): string => ERRNO_TEXTS[code] ?? message

const EXPECTED: Readonly<Record<string, string>> = {
  'host-root': "the directory where a node's root is mounted, or a recorded node (berth record FILE)",
  node: 'a Node object as JSON or YAML (kubectl get node NAME -o yaml)'
}

const optionError = (option: string, path: string, problem: string, cause?: unknown): CommandError =>
  new CommandError(`--${option} is "${path}": ${problem}; expected ${EXPECTED[option]}`, { status: 2, cause })
