import { expect, test } from 'vitest'
import { readResourceSlicesOnce, resourceSlicesReader } from '../../../src/agent/resource-slices.ts'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import type { Connection } from '../../../src/kubernetes/connection.ts'
import { type Answers, hostWith } from '../facts/replay.ts'
import { IDEAL } from '../node-facts.ts'

const INTERVAL = 60_000
const LOADED = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.135  Release Build\n'
const hostOf = (driver: Answers[string]) => hostWith({ '/proc/driver/nvidia/version': driver })
const bare = { ...IDEAL.node, allocatable: {} }
const offer = { items: [{ spec: { driver: 'gpu.nvidia.com', nodeName: IDEAL.node.name, devices: [{ name: 'gpu-0' }] } }] }

/** An API that gives these answers one after the other, and the last one for ever; what it was asked. */
function api(...answers: readonly (object | ApiError)[]) {
  const asked: string[] = []
  const call = async (_: unknown, { path }: { readonly path: string }) => {
    const answer = answers[Math.min(asked.push(path), answers.length) - 1]
    if (answer instanceof ApiError) throw answer
    return answer
  }
  return { asked, connection: { call } as unknown as Connection }
}

function agentWith(...answers: readonly (object | ApiError)[]) {
  let now = 0
  const { asked, connection } = api(...answers)
  const read = resourceSlicesReader(connection, { interval: INTERVAL, elapsed: () => now })
  return {
    asked,
    look: (after: number, { driver = LOADED, node = bare }: { driver?: Answers[string]; node?: typeof bare } = {}) => {
      now += after
      return read({ host: hostOf(driver), node })
    }
  }
}

test.each([
  ['where the driver is loaded and nothing is offered', LOADED, bare, 1],
  ['where the driver cannot be read', { error: 'EACCES' }, bare, 1],
  ['not without the driver', undefined, bare, 0],
  ['not where a device plugin offers GPUs', LOADED, IDEAL.node, 0],
  ['not before the Node is known', LOADED, undefined, 0]
] as const)('the API is asked %s', async (_, driver, node, times) => {
  const { asked, connection } = api(offer)
  const waiting = { sleep: async () => undefined, random: () => 0 }
  const answer = await readResourceSlicesOnce(connection, { host: hostOf(driver), node }, waiting)
  expect(asked).toHaveLength(times)
  expect(answer).toEqual(times === 0 ? undefined : { ok: true, value: { devices: 1, tainted: 0 } })
})

test('only slices of the Node and driver are requested, from the cache of the API server', async () => {
  const { asked, look } = agentWith(offer)
  await look(0)
  const url = new URL(asked[0] as string, 'https://api')
  expect(url.pathname).toBe('/apis/resource.k8s.io/v1/resourceslices')
  expect(Object.fromEntries(url.searchParams)).toEqual({
    ...{ fieldSelector: `spec.nodeName=${IDEAL.node.name},spec.driver=gpu.nvidia.com`, limit: '100', resourceVersion: '0' }
  })
})

test('an offer is remembered for the next two observations, and then requested again', async () => {
  const { asked, look } = agentWith(offer, { items: [] })
  expect(await look(0)).toMatchObject({ value: { devices: 1 } })
  for (const _ of [1, 2]) expect(await look(INTERVAL)).toMatchObject({ value: { devices: 1 } })
  expect(asked).toHaveLength(1)
  expect(await look(INTERVAL)).toMatchObject({ value: { devices: 0 } })
  expect(asked).toHaveLength(2)
})

test('a missing offer is requested again after an interval, but not at observations caused by changes on the node', async () => {
  const { asked, look } = agentWith({ items: [] }, offer)
  for (const after of [0, 900, 900]) expect(await look(after)).toMatchObject({ value: { devices: 0 } })
  expect(asked).toHaveLength(1)
  expect(await look(0.9 * INTERVAL)).toMatchObject({ value: { devices: 1 } })
})

test('a remembered offer does not count once the Node offers other resources', async () => {
  const { asked, look } = agentWith(offer)
  await look(0)
  expect(await look(1, { node: IDEAL.node })).toBeUndefined()
  await look(1, { node: { ...bare, allocatable: { 'github.com/fuse': 1 } } })
  expect(asked).toHaveLength(2)
})

test('a failure of the API is a reason, and a bug is thrown', async () => {
  const failure = new ApiError('the API is away', { code: 'ECONNREFUSED' })
  expect(await agentWith(failure).look(0)).toEqual({ ok: false, why: 'the API is away' })
  const forbidden = await agentWith(new ApiError('no', { status: 403 })).look(0)
  expect(forbidden).toEqual({ ok: false, why: expect.stringMatching(/403.*grant "list" on resourceslices/) })
  expect(await agentWith(new ApiError('no', { status: 404 })).look(0)).toEqual({ ok: true, value: { devices: 0, tainted: 0 } })
  const broken = { call: () => Promise.reject(new TypeError('a bug')) } as unknown as Connection
  const read = resourceSlicesReader(broken, { interval: INTERVAL, elapsed: () => 0 })
  await expect(read({ host: hostOf(LOADED), node: bare })).rejects.toThrow('a bug')
})
