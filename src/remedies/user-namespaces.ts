import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../host/host.ts'
import type { HostWriter } from '../host/writer.ts'
import { BottlerocketError, readLimit, setLimit } from './bottlerocket-api.ts'
import { readJournal, writeJournal } from './journal.ts'
import type { Deed, Remedy } from './remedy.ts'

export interface UserNamespacesTerms {
  readonly maxUserNamespaces: number
}

const LIVE = '/proc/sys/user/max_user_namespaces'

/** Found by its directory: the API server makes a new socket when it starts, and a bind-mounted one would be the old one for ever. */
const SOCKET = '/run/api.sock'

/** A 200 came 26 to 54 ms before the kernel's file had changed (milliseconds). */
const SETTLE = 3_000
const STEP = 25
/** The API server is being restarted, or the value was overwritten in between. */
const TRIES = 3

/** Raises user.max_user_namespaces, on Bottlerocket through its API, so that it survives a reboot. Never lowers it. */
export const userNamespaces: Remedy<UserNamespacesTerms> = {
  name: 'user-namespaces',
  apply: async (host, facts, { maxUserNamespaces: target }) => {
    const isBottlerocket = facts.distro.known && facts.distro.value.id === 'bottlerocket'
    try {
      const from = await readLive(host)
      if (from >= target) return deed(`user.max_user_namespaces is ${from} already`, false)
      if (!isBottlerocket || (await host.stat(SOCKET))?.kind !== 'socket') {
        const why = isBottlerocket ? `there is no ${SOCKET}` : 'only Bottlerocket has an API for it'
        return await raiseDirectly(host, from, target, why)
      }
      return await raiseByApi(host, from, target)
    } catch (error) {
      return failed(error)
    }
  },
  undo: async host => {
    const { userNamespaces: done } = await readJournal(host)
    if (done === undefined) return deed('nothing to undo: we raised no limit of user namespaces here', false)
    try {
      const said = await putBack(host, done)
      await writeJournal(host, { userNamespaces: undefined })
      return deed(said, false)
    } catch (error) {
      return failed(error)
    }
  }
}

async function raiseByApi(host: HostWriter, from: number, target: number): Promise<Deed> {
  const socket = host.inside(SOCKET)
  let last = ''
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      const before = await readLimit(socket)
      // What others set higher is theirs: applied again, and not lowered.
      const wanted = Math.max(target, ...[before.dotted, before.slashed].map(text => Number(text ?? 0)).filter(Number.isFinite))
      await note(host, from, wanted, 'bottlerocket')
      await setLimit(socket, wanted, before)
      const now = await settled(host, wanted)
      if (now >= wanted) return deed(`raised user.max_user_namespaces from ${from} to ${now} through the Bottlerocket API`, true)
      last = `the API took ${wanted}, and the kernel still has ${now}`
    } catch (error) {
      if (!(error instanceof BottlerocketError)) throw error
      if (error.isFinal) return await raiseDirectly(host, from, target, error.message)
      last = error.message
    }
    await sleep(200 * 2 ** tries)
  }
  return { ...deed('asked the Bottlerocket API', false), failure: last }
}

async function raiseDirectly(host: HostWriter, from: number, target: number, why: string): Promise<Deed> {
  await note(host, from, target, 'sysctl')
  // Somebody may have raised it in between.
  const before = await readLive(host)
  if (before < target) await host.put(LIVE, String(target))
  const now = await readLive(host)
  return deed(`raised user.max_user_namespaces from ${from} to ${now} until the next boot, since ${why}`, false)
}

/** The first of our deeds counts: what was there before all of them is what undoing goes back to. */
async function note(host: HostWriter, from: number, to: number, way: 'bottlerocket' | 'sysctl'): Promise<void> {
  const { userNamespaces: before } = await readJournal(host)
  await writeJournal(host, { userNamespaces: { from: before?.from ?? from, to, way } })
}

async function settled(host: HostWriter, wanted: number): Promise<number> {
  let now = await readLive(host)
  for (let waited = 0; now < wanted && waited < SETTLE; waited += STEP) {
    await sleep(STEP)
    now = await readLive(host)
  }
  return now
}

/** Only what still is as we left it: a value that somebody changed since is theirs. */
async function putBack(
  host: HostWriter,
  { from, to, way }: { readonly from: number; readonly to: number; readonly way: 'bottlerocket' | 'sysctl' }
): Promise<string> {
  const now = await readLive(host)
  if (now !== to) return `user.max_user_namespaces is ${now} and not the ${to} that we set: left as it is`
  if (way === 'bottlerocket') {
    const socket = host.inside(SOCKET)
    const held = await readLimit(socket)
    if (held.dotted !== String(to))
      return `the API holds ${held.dotted ?? 'nothing'} and not the ${to} that we set: left as it is`
    await setLimit(socket, from, held)
    return `put user.max_user_namespaces back to ${from} through the Bottlerocket API`
  }
  await host.put(LIVE, String(from))
  return `put user.max_user_namespaces back to ${await readLive(host)}`
}

async function readLive(host: HostWriter): Promise<number> {
  const text = (await host.read(LIVE))?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text)
  throw new HostError(LIVE, 'EINVAL', { says: text === '' ? 'it is not there' : 'it holds no number' })
}

const deed = (did: string, persistent: boolean): Deed => ({ failure: undefined, did, persistent, tail: '' })

function failed(error: unknown): Deed {
  if (error instanceof HostError || error instanceof BottlerocketError) return { ...deed('', false), failure: error.message }
  throw error
}
