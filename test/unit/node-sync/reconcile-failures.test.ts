import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'
import { type Request, stage } from './stage.ts'

const snapshot = await snapshotOf('debian-12-headers')
const CVM = 'berth.dev/cvm'
const MACHINE = 'berth.dev/machine'

type Details = ConstructorParameters<typeof ApiError>[1]
const error = (details: Details, message = 'it said no') => new ApiError(message, details)
/** Fails what the API is asked about one thing, and does all else. */
const failing = (about: Request['about'], failure: Error) => (request: Request) => (request.about === about ? failure : undefined)
const labelsOf = ({ body }: Request) =>
  Object.keys((body as { readonly metadata: { readonly labels?: object } }).metadata.labels ?? {})

describe('a failure that passes', () => {
  test.each<[string, Details, string]>([
    ['no answer', {}, 'it said no'],
    ['an error of the server', { status: 500 }, 'it said no'],
    ['too many requests', { status: 429 }, 'it said no'],
    ['no such Node', { status: 404 }, 'it said no'],
    ['a Node that was made anew', { status: 422, code: 'RECREATED' }, 'it said no'],
    ['roles that are not read yet', { status: 403 }, 'nodes "n" is forbidden: User "x" cannot patch resource "nodes"']
  ])('(%s) is told once for the labels and once for the report, and no key is tried alone', async (_, details, message) => {
    const { sync, api, wrote, patches, view } = stage()
    api.fails = failing('labels', error(details, message))
    expect(await sync.reconcile(snapshot, view())).toBe(6_000)
    expect(sync.isPublished()).toBe(false)
    expect(wrote).toEqual([
      expect.stringMatching(/^labels failed: berth\.dev\/cvm, .*berth\.dev\/machine/),
      `report failed: berth.dev/report (${message})`
    ])
    expect(patches).toEqual([])
  })

  test('is waited for longer the second time, and as the first time again after a success', async () => {
    const { sync, api, view } = stage()
    const down = failing('labels', error({ status: 503 }))
    api.fails = down
    expect(await sync.reconcile(snapshot, view())).toBe(6_000)
    expect(await sync.reconcile(snapshot, view())).toBe(12_000)
    api.fails = () => undefined
    await sync.reconcile(snapshot, view())
    api.fails = failing('condition', error({ status: 503 }))
    expect(await sync.reconcile(snapshot, view())).toBe(6_000)
  })

  test('is waited for as long as the server asks, in seconds, and somewhat longer', async () => {
    const { sync, api, view } = stage()
    api.fails = failing('labels', error({ status: 429, retryAfter: 4 }))
    expect(await sync.reconcile(snapshot, view())).toBe(8_000)
  })

  test('of the condition leaves the labels written, and the startup taint where it is', async () => {
    const { sync, api, node, wrote, view } = stage()
    node.taints.push({ key: 'start', effect: 'NoSchedule' })
    api.fails = failing('condition', error({ status: 500 }))
    await sync.reconcile(snapshot, view())
    await sync.reconcile(snapshot, view())
    expect(sync.isPublished()).toBe(true)
    expect(node.taints).toHaveLength(1)
    expect(wrote.filter(line => line.startsWith('condition'))).toHaveLength(2)
    expect(wrote.at(-1)).toMatch(/^condition failed: \w+ \(it said no\)$/)
  })

  test('that is a bug is no failure of the API, and is thrown', async () => {
    const { sync, api, wrote, view } = stage()
    for (const about of ['labels', 'condition'] as const) {
      api.fails = failing(about, new TypeError('a bug'))
      await expect(sync.reconcile(snapshot, view()), about).rejects.toThrow('a bug')
    }
    expect(wrote.filter(line => line.includes('failed'))).toEqual([])
  })
})

describe('a refusal', () => {
  test.each<[string, Details, string]>([
    ['400', { status: 400 }, 'it said no'],
    ['403 by admission', { status: 403 }, 'it said no'],
    ['409', { status: 409 }, 'it said no'],
    ['422', { status: 422, code: 'Invalid' }, 'it said no'],
    ['422 in the words of RBAC', { status: 422 }, 'a policy cannot patch resource "nodes"']
  ])('(%s) of all keys at once is followed by each key alone', async (_, details, message) => {
    const { sync, api, node, wrote, view } = stage()
    api.fails = request =>
      request.about === 'labels' && labelsOf(request).includes(MACHINE) ? error(details, message) : undefined
    await sync.reconcile(snapshot, view())
    expect(node.labels).not.toHaveProperty([MACHINE])
    expect(node.labels).toHaveProperty([CVM])
    expect(node.annotations).toHaveProperty(['berth.dev/report'])
    expect(wrote).toContain(`labels written: ${CVM}`)
    expect(wrote).toContain('report written: berth.dev/report')
    expect(wrote.filter(line => line.includes('refused'))).toEqual([`labels refused: ${MACHINE} (${message})`])
  })

  test('of the report is reported as the report, and affects no label', async () => {
    const { sync, wrote, node, view } = stage({}, ({ annotations }) => annotations !== undefined)
    await sync.reconcile(snapshot, view())
    expect(node.labels).toHaveProperty([MACHINE])
    expect(wrote.filter(line => line.includes('refused'))).toEqual(['report refused: berth.dev/report (refused by a policy)'])
    expect(sync.isPublished()).toBe(false)
  })

  test('of the same value is tried again after 30 s, then after twice as long each time, but within 10 minutes', async () => {
    const { sync, patches, time, view } = stage({}, ({ labels = {} }) => MACHINE in labels)
    await sync.reconcile(snapshot, view())
    for (const wait of [30, 60, 120, 240, 480, 600, 600]) {
      const before = patches.length
      time.now += wait * 1_000 - 1
      await sync.reconcile(snapshot, view())
      expect(patches, `${wait} s`).toHaveLength(before)
      time.now += 1
      await sync.reconcile(snapshot, view())
      expect(patches, `${wait} s`).toHaveLength(before + 1)
    }
  })

  test('counts for the refused value only: another value is tried at once', async () => {
    const { sync, node, view } = stage({}, ({ labels = {} }) => labels[MACHINE] === 'virtual')
    await sync.reconcile(snapshot, view())
    expect(node.labels).not.toHaveProperty([MACHINE])
    const metal = { ...snapshot, facts: { ...snapshot.facts, machine: { known: true, value: { kind: 'bare-metal', sign: '' } } } }
    await sync.reconcile(metal as unknown as typeof snapshot, view())
    expect(node.labels[MACHINE]).toBe('bare-metal')
  })

  test('counts for the refused report only: another report is tried at once', async () => {
    const { sync, patches, view } = stage({}, ({ annotations }) => annotations !== undefined)
    await sync.reconcile(snapshot, view())
    const before = patches.length
    await sync.reconcile(snapshot, view())
    expect(patches).toHaveLength(before)
    const other = {
      ...snapshot,
      verdicts: { ...snapshot.verdicts, cvm: { ...snapshot.verdicts.cvm, because: 'another reason' } }
    }
    await sync.reconcile(other, view())
    expect(patches).toHaveLength(before + 1)
  })

  test('of a label that is written later does not count as a repair', async () => {
    let isClosed = true
    const { sync, node, told, time, view } = stage({}, ({ labels = {} }) => isClosed && MACHINE in labels)
    await sync.reconcile(snapshot, view())
    isClosed = false
    time.now = 30_000
    await sync.reconcile(snapshot, view())
    expect(node.labels).toHaveProperty([MACHINE])
    expect(told.filter(line => line.includes(MACHINE))).toEqual([])
  })

  test('of a label that somebody else has corrected causes no more tries', async () => {
    const { sync, node, time, view } = stage({}, ({ labels = {} }) => MACHINE in labels)
    await sync.reconcile(snapshot, view())
    node.labels[MACHINE] = 'virtual'
    node.version += 1
    for (const now of [30_000, 31_000]) {
      time.now = now
      expect(await sync.reconcile(snapshot, view())).toBe(300_000)
    }
  })

  test('to remove a retired label is remembered as well', async () => {
    const { sync, node, patches, time, view } = stage({ 'berth.dev/old': 'x' }, ({ labels = {} }) => 'berth.dev/old' in labels)
    await sync.reconcile(snapshot, view())
    const before = patches.length
    await sync.reconcile(snapshot, view())
    expect(patches).toHaveLength(before)
    time.now = 30_000
    await sync.reconcile(snapshot, view())
    expect(patches.at(-1)).toEqual({ uid: 'u', labels: { 'berth.dev/old': null } })
    expect(node.labels).toHaveProperty(['berth.dev/old'])
  })

  test('is forgotten with the write that succeeds: the next one waits 30 s again', async () => {
    let isClosed = true
    const { sync, node, patches, time, view } = stage({}, ({ labels = {} }) => isClosed && MACHINE in labels)
    await sync.reconcile(snapshot, view())
    time.now = 30_000
    await sync.reconcile(snapshot, view())
    isClosed = false
    time.now = 90_000
    await sync.reconcile(snapshot, view())
    expect(sync.isPublished()).toBe(true)
    isClosed = true
    Object.assign(node.labels, { [MACHINE]: 'falsified' })
    node.version += 1
    await sync.reconcile(snapshot, view())
    const before = patches.length
    time.now = 120_000
    await sync.reconcile(snapshot, view())
    expect(patches).toHaveLength(before + 1)
  })

  test('sets the next turn to when the first refused key may be tried', async () => {
    const { sync, time, view } = stage({}, ({ labels = {} }) => MACHINE in labels)
    expect(await sync.reconcile(snapshot, view())).toBe(30_000)
    time.now = 29_000
    expect(await sync.reconcile(snapshot, view())).toBe(1_000)
    time.now = 29_999
    expect(await sync.reconcile(snapshot, view()), 'never at once').toBe(50)
  })

  test('of the condition or of the taint is reported, and all other writes continue', async () => {
    const { sync, api, node, time, wrote, view } = stage()
    node.taints.push({ key: 'start', effect: 'NoSchedule' })
    api.fails = ({ about }) => (about === 'condition' || about === 'taint' ? error({ status: 403 }, 'no') : undefined)
    await sync.reconcile(snapshot, view())
    expect(await sync.reconcile(snapshot, view())).toBeGreaterThan(12_000)
    const refused = () => wrote.filter(line => line.includes('refused')).map(line => line.split(':')[0])
    expect(refused()).toEqual(['condition refused', 'taint refused'])
    // Ever more rarely: half a minute, then a minute.
    for (const [now, times] of [
      [29_999, 1],
      [30_000, 2],
      [89_999, 2],
      [90_000, 3]
    ] as const) {
      time.now = now
      await sync.reconcile(snapshot, view())
      expect(
        refused().filter(line => line === 'condition refused'),
        `${now}`
      ).toHaveLength(times)
    }
  })
})

describe('to demote', () => {
  const report = (boot: string) => ({ 'berth.dev/report': JSON.stringify({ boot }) })

  test('is given up where the API does not answer, and a bug is thrown', async () => {
    const { sync, api, node, view } = stage({ [CVM]: 'true' })
    Object.assign(node.annotations, report('before'))
    api.fails = failing('labels', error({ status: 500 }))
    await sync.demote(view(), 'now')
    expect(node.labels[CVM]).toBe('true')
    api.fails = failing('labels', new TypeError('a bug'))
    await expect(sync.demote(view(), 'now')).rejects.toThrow('a bug')
  })

  test.each([
    ['no report', {}],
    ['a report that is no JSON', { 'berth.dev/report': '{' }],
    ['a report without a boot', { 'berth.dev/report': '{}' }],
    ['a boot that is no text', { 'berth.dev/report': '{"boot":7}' }]
  ])('a Node with %s, nothing is written', async (_, annotations) => {
    const { sync, patches, node, view } = stage({ [CVM]: 'true' })
    Object.assign(node.annotations, annotations)
    await sync.demote(view(), 'now')
    expect(patches).toEqual([])
  })

  test('writes labels only, and only where one was true', async () => {
    const { sync, patches, node, view } = stage({ [CVM]: 'true', 'berth.dev/gpu': 'false' })
    Object.assign(node.annotations, report('before'))
    await sync.demote(view(), 'now')
    expect(patches).toEqual([{ uid: 'u', labels: { [CVM]: 'unknown' } }])
    node.labels[CVM] = 'false'
    await sync.demote(view(), 'now')
    expect(patches).toHaveLength(1)
  })
})
