import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type ServiceError, status } from '@grpc/grpc-js'
import { type Growth, growing } from '../growing-wait.ts'
import type { Log } from '../log.ts'
import { API_VERSION, KUBELET_SOCKET, register } from './api.ts'
import { type Health, healthOf, type ReadDevice } from './health.ts'
import { KINDS, type KindName, resourceOf } from './kinds.ts'
import { type Plugin, prefixOf, startPlugin } from './plugin.ts'
import type { Change } from './plugin-directory.ts'
import { identityOf, rivalsIn } from './sockets.ts'

export interface OfferTerms {
  readonly name: KindName
  readonly slots: number
  /** The kubelet's directory for sockets of plugins. */
  readonly folder: string
  readonly readDevice: ReadDevice
  readonly log: Log
  readonly signal: AbortSignal
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number
  /** Resolves after so many milliseconds, and at once when `signal` aborts. */
  readonly pause: (milliseconds: number) => Promise<void>
  /** The same, and earlier when something changes in `folder`. */
  readonly change: Change
}

/** How often the sockets and the device are checked (milliseconds), whatever the watch on the directory says: it does not see the device. */
const TICK = 500
/** After a registration that failed. A kubelet that restarts rejects pods that need the device until the plugin has registered. */
const WAITS: Growth = { first: 50, longest: 60_000 }
/** If the kubelet does not watch the list of devices for so long (milliseconds), the plugin registers again. */
const UNWATCHED_LIMIT = 10_000

/** Offers one device to pods until the signal: registers, and registers again whenever the kubelet has restarted. */
export async function offerDevice(terms: OfferTerms): Promise<void> {
  const { name, log, signal, pause } = terms
  let failures = 0
  while (!signal.aborted) {
    try {
      await offerOnce(terms, () => {
        failures = 0
      })
    } catch (error) {
      failures += 1
      reportFailure(log, name, error as ServiceError)
      await pause(growing(WAITS, failures))
    }
  }
}

/** The kubelet is starting or ending. All other codes are a refusal. */
const TRANSIENT: readonly number[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED]

function reportFailure(log: Log, name: KindName, error: ServiceError): void {
  const resource = resourceOf(name)
  if (TRANSIENT.includes(error.code))
    log.event('kubelet-lost', `the kubelet does not answer, so ${resource} is not offered yet`, { error })
  else if (typeof error.details === 'string')
    log.event('registration-refused', `the kubelet refused ${resource}: ${error.details}`)
  else log.event('registration-failed', `${resource} is not offered: ${error.message}`, { error })
}

/** From one start of the kubelet to the next. Returns when the plugin has to register again. */
async function offerOnce(terms: OfferTerms, onOffered: () => void): Promise<void> {
  const { name, folder, log, signal } = terms
  const kubelet = join(folder, KUBELET_SOCKET)
  if (!(await kubeletThere(terms, kubelet))) return
  if (!(await noRival(terms))) return
  const device = watchedDevice(terms)
  const plugin = await startPlugin(folder, { name, slots: terms.slots, health: device.health })
  try {
    // Two that began at the same moment see each other now, and the one whose name comes later yields.
    if ((await rivalsIn(folder, prefixOf(name), plugin.endpoint)).some(rival => rival < plugin.endpoint)) return
    const before = identityOf(kubelet)
    await register(kubelet, { version: API_VERSION, endpoint: plugin.endpoint, resourceName: resourceOf(name) })
    onOffered()
    log.event('device-offered', `${resourceOf(name)} is offered to pods, ${terms.slots} times`)
    const why = await untilLost(terms, { plugin, device, kubelet, before })
    if (!signal.aborted) log.event('kubelet-restarted', `${resourceOf(name)} is registered again: ${why}`)
  } finally {
    plugin.stop()
  }
}

/** Waits for the kubelet's socket; `false` at the signal. Throws where its directory is not there. */
async function kubeletThere({ folder, log, signal, change }: OfferTerms, kubelet: string): Promise<boolean> {
  while (!signal.aborted) {
    statSync(folder)
    if (identityOf(kubelet) !== '') return true
    log.event('kubelet-lost', `${kubelet} is not there, so no device is offered until the kubelet runs`)
    await change(TICK)
  }
  return false
}

/** Waits while another plugin of berth offers the same device; `false` at the signal. */
async function noRival({ name, folder, log, signal, change }: OfferTerms): Promise<boolean> {
  while (!signal.aborted) {
    const [rival] = await rivalsIn(folder, prefixOf(name), '')
    if (rival === undefined) return true
    log.event(
      'devices-waits',
      `another plugin offers ${resourceOf(name)} on this node (${rival}); this one waits until it has ended`
    )
    await change(TICK)
  }
  return false
}

interface WatchedDevice {
  readonly health: () => Health
  /** Checks the device again, and returns whether its health has changed. */
  readonly refresh: () => boolean
}

function watchedDevice({ name, readDevice, log }: OfferTerms): WatchedDevice {
  const { path } = KINDS[name]
  let health = healthOf(KINDS[name], readDevice)
  if (health.why !== '') log.event('device-lost', `no pod gets ${resourceOf(name)}: ${health.why}`)
  return {
    health: () => health,
    refresh: () => {
      const before = health
      health = healthOf(KINDS[name], readDevice)
      if (health.why === before.why) return false
      if (health.why === '') log.event('device-found', `${path} can be used again`)
      else log.event('device-lost', `no pod gets ${resourceOf(name)}: ${health.why}`)
      return true
    }
  }
}

interface Registered {
  readonly plugin: Plugin
  readonly device: WatchedDevice
  readonly kubelet: string
  /** Identity of the kubelet's socket when the plugin registered. */
  readonly before: string
}

/** Keeps the kubelet informed of the device. Resolves with what has happened when the plugin is not registered any more. */
async function untilLost(
  { folder, signal, now, change }: OfferTerms,
  { plugin, device, kubelet, before }: Registered
): Promise<string> {
  const socket = join(folder, plugin.endpoint)
  const own = identityOf(socket)
  let heard = now()
  while (!signal.aborted) {
    await change(TICK)
    if (device.refresh()) plugin.update()
    // A kubelet that starts empties the directory and makes a socket of its own.
    if (identityOf(socket) !== own) return 'its socket was removed'
    if (identityOf(kubelet) !== before) return "the kubelet's socket is another one"
    if (plugin.isWatched()) heard = now()
    if (now() - heard > UNWATCHED_LIMIT) return 'the kubelet has stopped listening'
  }
  return ''
}
