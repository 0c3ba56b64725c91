import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../cycle/cycle.ts'
import { type NodeObject, parseNode } from '../facts/node-object.ts'
import { observe } from '../facts/observe.ts'
import { apartHost } from '../host/apart.ts'
import { ERRNO_TEXTS, type HostReader } from '../host/host.ts'
import { localHost } from '../host/local.ts'
import { witness } from '../host/witness.ts'
import { CommandError, type Surroundings } from './command.ts'

/** The node below a directory, or the recorded one in a file. Throws `CommandError`. */
export async function openHost(root: string, open: (root: string) => HostReader = localHost): Promise<HostReader> {
  const stats = await stat(root).catch((error: NodeJS.ErrnoException) => {
    throw wrong('host-root', root, error.code === 'ENOENT' ? 'there is no such directory or file' : errno(error))
  })
  if (stats.isDirectory()) return open(root)
  if (!stats.isFile()) throw wrong('host-root', root, 'it is neither a directory nor a recorded node')
  const { parseRecording, recordedHost } = await import('../host/recorded.ts')
  return recordedHost(await parsed('host-root', root, parseRecording))
}

interface DaemonHost {
  readonly host: HostReader
  readonly lacks?: string
  readonly close: () => void
}

/**
 * The same for a daemon, which a mount that hangs must not stop, and which does not end because its pod lacks a mount: it sees no file
 * then, and says why.
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
    return { host: localHost(root), lacks: error.message, close }
  }
}

/**
 * A look that is under way while the client is loaded and the API answers; whoever looks next is answered from memory. The inventory
 * is left to `inventoried`: to start other programs stops us for longer than all the rest of the look.
 */
export function startedEarly(host: HostReader, { elapsed }: Clock): HostReader {
  const remembered = witness(host).host
  const sources = { host: { ...remembered, inventory: () => NEVER }, node: undefined, podSecurity: undefined }
  observe(sources, elapsed).catch(() => undefined)
  return remembered
}

const NEVER = new Promise<never>(() => undefined)

/** Takes the inventory, when the question to the API is on its way and there is time. */
export const inventoried = (host: HostReader): void => {
  host.inventory().catch(() => undefined)
}

/** The Node object in a file; `undefined` without a file. Throws `CommandError`. */
export async function readNode(path: string): Promise<NodeObject | undefined> {
  if (path === '') return undefined
  const { load } = await import('js-yaml')
  // JSON is YAML, so one parser reads both.
  return await parsed('node', path, text => parseNode(load(text)))
}

async function parsed<T>(option: string, path: string, parse: (text: string) => T): Promise<T> {
  const text = await readSmall(option, path)
  try {
    return parse(text)
  } catch (error) {
    throw wrong(option, path, (error as Error).message, error)
  }
}

const SIZE_LIMIT = 16 * 1024 * 1024

async function readSmall(option: string, path: string): Promise<string> {
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw wrong(option, path, 'it is not a file')
    if (stats.size > SIZE_LIMIT) throw wrong(option, path, `it is larger than ${SIZE_LIMIT / 1024 / 1024} MiB`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof CommandError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw wrong(option, path, code === 'ENOENT' ? 'there is no such file' : errno(error as NodeJS.ErrnoException), error)
  }
}

const errno = ({ code = '', message }: NodeJS.ErrnoException): string => ERRNO_TEXTS[code] ?? message

const EXPECTED: Readonly<Record<string, string>> = {
  'host-root': "the directory where a node's root is mounted, or a recorded node (berth record FILE)",
  node: 'a Node object as JSON or YAML (kubectl get node NAME -o yaml)'
}

const wrong = (option: string, path: string, what: string, cause?: unknown): CommandError =>
  new CommandError(`--${option} is "${path}": ${what}; expected ${EXPECTED[option]}`, { status: 2, cause })
