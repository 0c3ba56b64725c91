import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ReadDevice } from '../../../src/devices/health.ts'
import { offerDevice } from '../../../src/devices/keep-registered.ts'
import { directoryWatch } from '../../../src/devices/plugin-directory.ts'
import type { EventCode } from '../../../src/log.ts'
import { type Kubelet, type Registered, startKubelet } from './kubelet.ts'

let folder: string
let kubelets: Kubelet[] = []
let stops: (() => Promise<void>)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-devices-'))
})
afterEach(async () => {
  await Promise.all(stops.map(stop => stop()))
  for (const kubelet of kubelets) kubelet.kill()
  stops = []
  kubelets = []
  rmSync(folder, { recursive: true })
})

type Refuses = Parameters<typeof startKubelet>[1]
async function kubelet(refuses?: Refuses): Promise<Kubelet> {
  const started = await startKubelet(folder, refuses)
  kubelets.push(started)
  return started
}

const FUSE = { device: '10:229', mode: 0o666 }

interface Plugin {
  readonly events: readonly [EventCode, string][]
  readonly codes: () => readonly EventCode[]
  readonly stop: () => Promise<void>
}

/** Its clock is ten times as fast. */
function plugin(readDevice: ReadDevice = () => FUSE, watched = false): Plugin {
  const events: [EventCode, string][] = []
  const controller = new AbortController()
  const { signal } = controller
  const pause = (milliseconds: number) => wait(milliseconds / 10, undefined, { signal }).catch(() => undefined)
  const offered = offerDevice({
    name: 'fuse',
    slots: 3,
    folder,
    readDevice,
    signal,
    log: { event: (code, message) => events.push([code, message]), setLevel: () => undefined },
    now: () => 10 * performance.now(),
    pause,
    change: watched ? directoryWatch(folder, signal) : pause
  })
  const stop = async () => {
    controller.abort()
    await offered
  }
  stops.push(stop)
  return { events, codes: () => events.map(([code]) => code), stop }
}

/** The first registration, once the kubelet has a list of its devices. */
const registration = ({ registered }: Kubelet, index = 0): Promise<Registered> =>
  vi.waitFor(
    () => {
      const found = registered[index]
      if (found === undefined || found.lists.length === 0) throw new Error('not registered')
      return found
    },
    { timeout: 10_000, interval: 10 }
  )

const healthOf = ({ lists }: Registered): readonly string[] => [...new Set(lists.at(-1)?.map(({ health }) => health))]
const sockets = () => readdirSync(folder).filter(name => name.startsWith('berth-'))

test('the kubelet gets a list of slots, and for each container the device', async () => {
  const { registered } = await kubelet()
  plugin()
  const fuse = await registration({ registered, kill: () => undefined })
  expect(fuse).toMatchObject({ version: 'v1beta1', resourceName: 'berth.dev/fuse' })
  expect(fuse.lists.at(-1)).toEqual([0, 1, 2].map(index => ({ ID: `fuse-${index}`, health: 'Healthy' })))
  const device = { containerPath: '/dev/fuse', hostPath: '/dev/fuse', permissions: 'rw' }
  expect(await fuse.allocate(['fuse-1'])).toEqual({ containerResponses: [{ devices: [device] }] })
})

test('a plugin that began before the kubelet registers when it comes', async () => {
  const early = plugin()
  await vi.waitFor(() => expect(early.codes()).toContain('kubelet-lost'))
  expect(healthOf(await registration(await kubelet()))).toEqual(['Healthy'])
})

test('a socket on which no kubelet listens yet is tried again', async () => {
  const bound = createServer()
  await new Promise<void>(done => bound.listen(join(folder, 'kubelet.sock'), done))
  bound.close() // Node removes its file
  writeFileSync(join(folder, 'kubelet.sock'), '')
  const early = plugin()
  await vi.waitFor(() => expect(early.codes().filter(code => code === 'kubelet-lost').length).toBeGreaterThan(1), {
    timeout: 10_000
  })
  expect(healthOf(await registration(await kubelet()))).toEqual(['Healthy'])
  expect(sockets()).toHaveLength(1)
})

describe('a kubelet that was killed and started again', () => {
  test('has the device back, by one registration', async () => {
    const first = await kubelet()
    plugin()
    const before = await registration(first)
    first.kill()
    const second = await kubelet()
    const after = await registration(second)
    expect(after.endpoint).not.toBe(before.endpoint)
    expect(healthOf(after)).toEqual(['Healthy'])
    await wait(300)
    expect(second.registered).toHaveLength(1)
    expect(sockets()).toEqual([after.endpoint])
  })

  test.each([false, true])('has it back ten times in a row, with a watch on the directory: %s', async watched => {
    plugin(() => FUSE, watched)
    for (let round = 0; round < 10; round += 1) {
      const current = await kubelet()
      await registration(current)
      current.kill()
    }
    const last = await kubelet()
    expect(healthOf(await registration(last))).toEqual(['Healthy'])
    expect(sockets()).toHaveLength(1)
  })
})

test('a kubelet that lives on and has stopped listening is registered with again', async () => {
  const current = await kubelet()
  plugin()
  const before = await registration(current)
  before.disconnect()
  const after = await registration(current, 1)
  expect(healthOf(after)).toEqual(['Healthy'])
  expect(sockets()).toEqual([after.endpoint])
})

describe('the device', () => {
  test.each([
    ['removed', undefined, '/dev/fuse is missing'],
    [
      'closed to others',
      { device: '10:229', mode: 0o600 },
      '/dev/fuse has mode 0600, so other users cannot open it; give it 0666'
    ],
    ['another one', { device: '1:3', mode: 0o666 }, '/dev/fuse is not the character device 10:229'],
    ['a file', { device: '', mode: 0o666 }, '/dev/fuse is not the character device 10:229']
  ])('%s is given to no pod, and is again when it is back', async (_, other, why) => {
    let now: ReturnType<ReadDevice> = FUSE
    const own = plugin(() => now)
    const fuse = await registration(await kubelet())
    expect(healthOf(fuse)).toEqual(['Healthy'])
    now = other
    await vi.waitFor(() => expect(healthOf(fuse)).toEqual(['Unhealthy']))
    await expect(fuse.allocate(['fuse-0'])).rejects.toThrow(why)
    expect(own.events).toContainEqual(['device-lost', `no pod gets berth.dev/fuse: ${why}`])
    now = FUSE
    await vi.waitFor(() => expect(healthOf(fuse)).toEqual(['Healthy']))
    await expect(fuse.allocate(['fuse-0'])).resolves.toMatchObject({ containerResponses: [{}] })
  })

  test('that cannot be read is given to no pod', async () => {
    plugin(() => {
      throw new Error('EIO: i/o error')
    })
    const fuse = await registration(await kubelet())
    expect(healthOf(fuse)).toEqual(['Unhealthy'])
    await expect(fuse.allocate(['fuse-0'])).rejects.toThrow('/dev/fuse cannot be read: EIO: i/o error')
  })
})

test('a refusal of the kubelet is told in its words, and tried again', async () => {
  let refusal: string | undefined = 'requested API version "v1beta1" is not supported by kubelet'
  const { registered } = await kubelet(() => refusal)
  const own = plugin()
  await vi.waitFor(() => expect(own.codes()).toContain('registration-refused'), { timeout: 10_000 })
  expect(own.events).toContainEqual(['registration-refused', `the kubelet refused berth.dev/fuse: ${refusal}`])
  refusal = undefined
  expect(healthOf(await registration({ registered, kill: () => undefined }))).toEqual(['Healthy'])
})

describe('two plugins on one node', () => {
  test('are one registration, and the second takes over when the first ends', async () => {
    const { registered } = await kubelet()
    const first = plugin()
    await registration({ registered, kill: () => undefined })
    const second = plugin()
    await vi.waitFor(() => expect(second.codes()).toContain('devices-waits'))
    expect(registered).toHaveLength(1)
    await first.stop()
    expect(healthOf(await registration({ registered, kill: () => undefined }, 1))).toEqual(['Healthy'])
  })

  test('that begin at the same moment are one registration', async () => {
    const { registered } = await kubelet()
    const four = [plugin(), plugin(), plugin(), plugin()]
    await registration({ registered, kill: () => undefined })
    await wait(500)
    expect(registered.filter(({ isConnected }) => isConnected())).toHaveLength(1)
    expect(four.filter(({ codes }) => codes().includes('device-offered'))).toHaveLength(1)
  })
})

test('a socket that a killed plugin left is removed', async () => {
  writeFileSync(join(folder, 'berth-fuse-00000000.sock'), '')
  writeFileSync(join(folder, 'kubelet_internal_checkpoint'), '{}')
  const own = plugin()
  await vi.waitFor(() => expect(own.codes()).toContain('kubelet-lost'))
  const fuse = await registration(await kubelet())
  expect(sockets()).toEqual([fuse.endpoint])
})

test('at its end the kubelet sees the connection end, and no socket stays', async () => {
  const { registered } = await kubelet()
  const own = plugin()
  const fuse = await registration({ registered, kill: () => undefined })
  await own.stop()
  await vi.waitFor(() => expect(fuse.isConnected()).toBe(false))
  expect(sockets()).toEqual([])
})
