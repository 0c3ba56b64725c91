import type { HostWriter } from '../host/writer.ts'
import { type Deed, deed, failed } from './deed.ts'
import { lastLine } from './program-text.ts'

/** A load or unload takes less than a second (milliseconds). */
const TIMEOUT = 30_000

/** The exit status of a program that SIGKILL ended, as a shell reports it. */
const KILLED = 137

/** The journal's entry for a module that we load. */
export interface JournalEntry {
  /** Called before the load, so that a kill in the middle leaves a trace. */
  readonly claim: () => Promise<void>
  /** Called after the load; `isOurs` is false if it failed: a module that is loaded then is not ours. */
  readonly settle: (isOurs: boolean) => Promise<void>
}

/** `modprobe` for a module of the node. Without `--first-time` it succeeds if somebody else has loaded the module since we observed. */
export const modprobe = (host: HostWriter, name: string): readonly [string, ...string[]] => [
  'modprobe',
  '--first-time',
  '-d',
  host.inside('/'),
  name
]

/** Loads the module `name` by the program `argv`. Returns the failed deed, or `undefined` if the module is loaded. */
export async function loadModule(
  host: HostWriter,
  name: string,
  { argv, entry }: { readonly argv: readonly [string, ...string[]]; readonly entry: JournalEntry }
): Promise<Deed | undefined> {
  await entry.claim()
  const { status, stderr } = await host.exec(argv, { timeout: TIMEOUT })
  // A load that is killed by the timeout ends only when the kernel has loaded the module.
  const isDone = status === 0 || (status === KILLED && (await isLoaded(host, name)))
  await entry.settle(isDone)
  return isDone
    ? undefined
    : failed(`loading ${name} failed: ${argv[0]} ended with status ${status}: ${lastLine(stderr)}`, stderr)
}

/** Unloads a module with `rmmod`. Without an option, rmmod refuses a module that is in use. */
export async function unloadModule(host: HostWriter, name: string): Promise<Deed> {
  const { status, stderr } = await host.exec(['rmmod', name], { timeout: TIMEOUT })
  if (status === 0) return deed(`unloaded ${name}`)
  const wayOut = 'run --undo again when no workspace uses it, or reboot the node'
  return failed(`${name} stays loaded: ${lastLine(stderr)}; ${wayOut}`, stderr)
}

/** Whether /proc/modules lists the module. */
export const isLoaded = async (host: HostWriter, name: string): Promise<boolean> =>
  ((await host.read('/proc/modules')) ?? '').split('\n').some(line => line.startsWith(`${name} `))
