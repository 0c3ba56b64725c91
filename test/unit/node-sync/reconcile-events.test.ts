import { describe, expect, test } from 'vitest'
import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import { ApiError } from '../../../src/kubernetes/api-error.ts'
import type { Condition } from '../../../src/node-sync/condition.ts'
import { labels } from '../../../src/node-sync/labels.ts'
import { reportAnnotation } from '../../../src/node-sync/report.ts'
import type { Outcome } from '../../../src/remedies/outcome.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'
import { stage, UNKNOWN_AFTER } from './stage.ts'

const snapshot = await snapshotOf('debian-12-headers')
const right = labels(snapshot, 'berth.dev')
const CVM = 'berth.dev/cvm'
const NOW = Date.parse('2026-11-03T10:00:00Z')
const outcome: Outcome = { remedy: 'shiftfs', result: 'applied', because: 'built', at: '2026-11-03T09:00:00Z', tail: '' }
const withOutcomes = (...outcomes: readonly Outcome[]): Snapshot => ({ ...snapshot, outcomes })

describe('the startup taint', () => {
  const taints = [
    { key: 'other', effect: 'NoExecute' },
    { key: 'start', effect: 'NoSchedule' }
  ] as const

  test('is removed only after a Node was read with all labels on it, and no other taint is removed', async () => {
    const { sync, node, wrote, view } = stage()
    node.taints.push(...taints)
    await sync.reconcile(snapshot, view())
    expect(node.taints, 'the labels were only just written').toEqual(taints)
    await sync.reconcile(snapshot, view())
    expect(node.taints).toEqual([taints[0]])
    expect(wrote.at(-1)).toBe('taint written: start')
  })

  test('stays while a label is refused', async () => {
    const { sync, node, view } = stage({}, ({ labels: changed = {} }) => 'berth.dev/machine' in changed)
    node.taints.push(...taints)
    for (let round = 0; round < 3; round += 1) await sync.reconcile(snapshot, view())
    expect(node.taints).toEqual(taints)
  })

  test('that is absent causes no request', async () => {
    const { sync, wrote, view } = stage()
    for (let round = 0; round < 3; round += 1) await sync.reconcile(snapshot, view())
    expect(wrote.filter(line => line.startsWith('taint'))).toEqual([])
  })
})

describe('a remedy', () => {
  test('creates one event with its own time, however often it is published', async () => {
    const { sync, events, wrote, view } = stage()
    for (let round = 0; round < 3; round += 1) await sync.reconcile(withOutcomes(outcome), view())
    const remedies = events.filter(({ reason }) => reason === 'RemedyApplied')
    expect(remedies).toEqual([
      expect.objectContaining({ message: 'shiftfs: built', type: 'Normal', firstTimestamp: new Date(outcome.at) })
    ])
    expect(remedies[0]?.metadata.name).toBe(`n.shiftfs.${Date.parse(outcome.at).toString(16)}`)
    expect(wrote).toContain('event written: RemedyApplied')
  })

  test('that was tried again creates another event, and one that was not tried creates none', async () => {
    const { sync, events, view } = stage()
    await sync.reconcile(withOutcomes(outcome, { ...outcome, remedy: 'user-namespaces', result: 'blocked', at: '' }), view())
    await sync.reconcile(withOutcomes({ ...outcome, at: '2026-11-03T09:10:00Z', result: 'failed', because: 'no gcc' }), view())
    expect(events.map(({ reason, message }) => [reason, message]).filter(([reason]) => reason?.startsWith('Remedy'))).toEqual([
      ['RemedyApplied', 'shiftfs: built'],
      ['RemedyFailed', 'shiftfs (failed): no gcc']
    ])
  })

  test('whose event is lost is not sent again, and nothing else fails', async () => {
    const { sync, api, events, wrote, node, view } = stage()
    node.taints.push({ key: 'start' })
    api.fails = ({ about }) => (about === 'event' ? new ApiError('down', { status: 500 }) : undefined)
    await sync.reconcile(withOutcomes(outcome), view())
    expect(wrote).toContain('event failed: RemedyApplied (down)')
    api.fails = () => undefined
    await sync.reconcile(withOutcomes(outcome), view())
    expect(events).toEqual([])
    expect(node.taints).toEqual([])
  })
})

describe('an event', () => {
  test('says what changed for schedulers, compared with what the Node carried', async () => {
    const { sync, events, view } = stage({ ...right, [CVM]: 'unknown' })
    await sync.reconcile(snapshot, view())
    expect(events.map(({ reason, message }) => [reason, message])).toEqual([
      ['WorkspaceCapabilityChanged', `cvm: unknown → ${right[CVM]}`]
    ])
  })

  test('names the keys that somebody else had changed, after they were repaired', async () => {
    const { sync, node, events, repairs, told, view } = stage()
    await sync.reconcile(snapshot, view())
    Object.assign(node.labels, { 'berth.dev/kernel': 'x', 'berth.dev/foreign': 'y' })
    node.version += 1
    await sync.reconcile(snapshot, view())
    expect(events.at(-1)).toMatchObject({
      reason: 'LabelDriftRepaired',
      type: 'Warning',
      message: 'somebody else changed berth.dev/kernel, berth.dev/foreign; repaired'
    })
    expect(told).toContain('added berth.dev/foreign')
    expect(repairs).toEqual(['berth.dev/kernel after 0 s', 'berth.dev/foreign after 0 s'])
  })

  test('is not written where nothing changed', async () => {
    const { sync, events, view } = stage(right)
    await sync.reconcile(snapshot, view())
    await sync.reconcile(snapshot, view())
    expect(events).toEqual([])
  })

  test('has a unique name from time and randomness', async () => {
    const { sync, node, events, time, chance, view } = stage()
    const falsify = async () => {
      node.labels['berth.dev/kernel'] = 'x'
      node.version += 1
      await sync.reconcile(snapshot, view())
    }
    await sync.reconcile(snapshot, view())
    await falsify()
    chance.next = 0.25
    await falsify()
    time.now += 1
    await falsify()
    const names = events.map(({ metadata }) => metadata.name)
    expect(new Set(names.slice(1)).size).toBe(3)
    for (const name of names) expect(name).toMatch(/^n\.[0-9a-f]+$/)
  })

  test('that is lost does not stop other writes', async () => {
    const { sync, api, wrote, conditions, view } = stage()
    api.fails = ({ about }) => (about === 'event' ? new ApiError('down', { status: 500 }) : undefined)
    await sync.reconcile(snapshot, view())
    expect(wrote).toContain('event failed: WorkspaceCapabilityChanged (down)')
    expect(conditions).toHaveLength(1)
  })
})

test('a repair is timed by the clock, in seconds', async () => {
  const { sync, api, node, repairs, time, view } = stage()
  time.now = 10_000
  await sync.reconcile(snapshot, view())
  node.labels['berth.dev/kernel'] = 'x'
  node.version += 1
  api.fails = ({ about }) => {
    if (about === 'labels') time.now += 1_500
    return undefined
  }
  await sync.reconcile(snapshot, view())
  expect(repairs).toEqual(['berth.dev/kernel after 1.5 s'])
})

test('a key that is changed back again and again is reported once as contested', async () => {
  const { sync, node, told, time, view } = stage()
  await sync.reconcile(snapshot, view())
  for (let round = 0; round < 8; round += 1) {
    node.labels['berth.dev/kernel'] = 'x'
    node.version += 1
    await sync.reconcile(snapshot, view())
  }
  expect(told.filter(line => line.startsWith('contested'))).toEqual(['contested berth.dev/kernel'])
  time.now = 10_000
  expect(await sync.reconcile(snapshot, view()), 'it comes again when the rest is over').toBe(50_000)
})

describe('an older Node from the watch', () => {
  test('is ignored for 30 s from the first time, and then accepted', async () => {
    const { sync, patches, time, view } = stage()
    const old = view()
    await sync.reconcile(snapshot, old)
    time.now = 10_000
    expect(await sync.reconcile(snapshot, old)).toBe(30_000)
    time.now = 39_999
    await sync.reconcile(snapshot, old)
    expect(patches).toHaveLength(1)
    time.now = 40_000
    await sync.reconcile(snapshot, old)
    expect(patches).toHaveLength(2)
  })

  test('counts from the first time again once a newer one came', async () => {
    const { sync, patches, time, view } = stage()
    const old = view()
    await sync.reconcile(snapshot, old)
    await sync.reconcile(snapshot, old)
    time.now = 20_000
    await sync.reconcile(snapshot, view())
    time.now = 40_000
    await sync.reconcile(snapshot, old)
    expect(patches).toHaveLength(1)
  })

  test.each(['', 'x900', '900x'])(
    'is told of a Node whose version is %j too, which is as old as can be',
    async resourceVersion => {
      const { sync, patches, view } = stage()
      await sync.reconcile(snapshot, view())
      await sync.reconcile(snapshot, { ...view(), resourceVersion, labels: {} })
      expect(patches).toHaveLength(1)
    }
  )

  test('is older than what the watch showed before, even if we wrote nothing', async () => {
    const { sync, patches, node, conditions, view } = stage()
    await sync.reconcile(snapshot, view())
    const condition = conditions.at(-1)
    node.version = 200
    await sync.reconcile(snapshot, view({ condition }))
    await sync.reconcile(snapshot, view({ condition, resourceVersion: '199', labels: {} }))
    expect(patches).toHaveLength(1)
  })

  test('is older than our last write, whatever we wrote', async () => {
    const { sync, patches, node, conditions, view } = stage()
    await sync.reconcile(snapshot, view())
    const condition = conditions.at(-1)
    node.labels['berth.dev/kernel'] = 'x'
    node.version += 1
    const before = view({ condition })
    await sync.reconcile(snapshot, before)
    expect(patches).toHaveLength(2)
    await sync.reconcile(snapshot, before)
    expect(patches).toHaveLength(2)
  })

  test('is compared as a number: 1000 is newer than 999', async () => {
    const { sync, patches, node, view } = stage()
    node.version = 998
    await sync.reconcile(snapshot, view())
    node.version = 1_000
    node.labels['berth.dev/kernel'] = 'x'
    await sync.reconcile(snapshot, view())
    expect(patches).toHaveLength(2)
  })

  test('does not concern another Node of the same name', async () => {
    const { sync, node, view } = stage()
    await sync.reconcile(snapshot, view())
    Object.assign(node, { uid: 'another', version: 5, labels: {}, annotations: {} })
    await sync.reconcile(snapshot, view())
    expect(node.labels).toHaveProperty([CVM])
  })
})

describe('the report that the Node carries already', () => {
  const unread = { ...snapshot, facts: { ...snapshot.facts, kernel: { known: false, why: 'closed', evidence: [] } } } as Snapshot
  const { 'boot-id': boot } = snapshot.facts
  const report = (id: string) => JSON.stringify({ ...JSON.parse(reportAnnotation(snapshot, '0')), boot: id })
  const kernelAfter = async (minutes: number, id: string): Promise<string | undefined> => {
    const { sync, node, time, view } = stage(right)
    Object.assign(node.annotations, { 'berth.dev/report': report(id) })
    time.now = minutes * 60_000
    await sync.reconcile(unread, view())
    return node.labels['berth.dev/kernel']
  }
  const live = boot.known ? boot.value : ''

  test('replaces what could not be read, under the same boot and as long as a fact is remembered', async () => {
    expect(await kernelAfter(0, live)).toBe(right['berth.dev/kernel'])
    expect(await kernelAfter(UNKNOWN_AFTER / 60_000 - 1, live)).toBe(right['berth.dev/kernel'])
    expect(await kernelAfter(UNKNOWN_AFTER / 60_000, live)).toBeUndefined()
    expect(await kernelAfter(0, 'another boot')).toBeUndefined()
  })

  test('replaces nothing if this boot is unknown', async () => {
    const nameless = {
      ...unread,
      facts: { ...unread.facts, 'boot-id': { known: false, why: 'closed', evidence: [] } }
    } as Snapshot
    for (const annotations of [{}, { 'berth.dev/report': report('') }]) {
      const { sync, node, view } = stage(right)
      Object.assign(node.annotations, annotations)
      await sync.reconcile(nameless, view())
      expect(node.labels).not.toHaveProperty(['berth.dev/kernel'])
    }
  })
})

describe('the condition', () => {
  const beat = (at: number, changes: Partial<Condition> = {}) => ({ lastHeartbeatTime: new Date(at).toISOString(), ...changes })
  const published = async (chanceOf = 0.5) => {
    const scene = stage()
    scene.chance.next = chanceOf
    scene.time.now = NOW
    await scene.sync.reconcile(snapshot, scene.view())
    return { ...scene, standing: scene.conditions.at(-1) as Condition }
  }

  test('is written with the labels, and reported with its reason', async () => {
    const { wrote, standing } = await published()
    expect(wrote).toContain(`condition written: ${standing.reason}`)
    expect(standing.lastHeartbeatTime).toBe('2026-11-03T10:00:00Z')
  })

  test('says that labels are not published while one is refused', async () => {
    const { sync, conditions, view } = stage({}, ({ labels: changed = {} }) => 'berth.dev/machine' in changed)
    const whole = Object.fromEntries(Object.entries(snapshot.facts).map(([name, fact]) => [name, { ...fact, known: true }]))
    await sync.reconcile({ ...snapshot, facts: whole as unknown as Snapshot['facts'] }, view())
    expect(conditions).toEqual([expect.objectContaining({ reason: 'LabelsNotPublished' })])
  })

  test.each([
    [0, 270_000],
    [0.5, 300_000],
    [1, 330_000]
  ])('with chance %s is due %s ms after its last heartbeat', async (chanceOf, every) => {
    const { sync, conditions, view, standing, time } = await published(chanceOf)
    const count = conditions.length
    time.now = NOW + 100_000
    expect(await sync.reconcile(snapshot, view({ condition: standing }))).toBe(every - 100_000)
    time.now = NOW + every - 1
    expect(await sync.reconcile(snapshot, view({ condition: standing })), 'never at once').toBe(50)
    expect(conditions).toHaveLength(count)
    time.now = NOW + every
    expect(await sync.reconcile(snapshot, view({ condition: standing })), 'what was just written').toBe(every)
    expect(conditions).toHaveLength(count + 1)
  })

  test('of an earlier agent is due by the random interval of this one', async () => {
    const { standing } = await published()
    const { sync, time, view } = stage()
    time.now = NOW + 100_000
    expect(await sync.reconcile(snapshot, view({ condition: standing }))).toBe(200_000)
  })

  test('that was never seen, or is from the future, is due after a whole interval', async () => {
    const { sync, view, standing } = await published()
    expect(await sync.reconcile(snapshot, view())).toBe(300_000)
    expect(await sync.reconcile(snapshot, view({ condition: { ...standing, ...beat(NOW + 60_000) } }))).toBe(300_000)
  })

  test('that is 2 s late is delayed by a random time, and a less late one is written at once', async () => {
    for (const [late, wrote] of [
      [1_999, 1],
      [2_000, 0]
    ] as const) {
      const { sync, conditions, view, standing, time } = await published()
      const count = conditions.length
      time.now = NOW + 300_000 + late
      await sync.reconcile(snapshot, view({ condition: standing }))
      expect(conditions.length - count, `${late} ms`).toBe(wrote)
    }
  })

  test('with another status is written at once, however late its heartbeat', async () => {
    const { sync, conditions, view, standing, time } = await published()
    const count = conditions.length
    time.now = NOW + 900_000
    await sync.reconcile(snapshot, view({ condition: { ...standing, reason: 'Other' } }))
    expect(conditions).toHaveLength(count + 1)
  })
})

describe('a label of a fact that cannot be read', () => {
  const unread = { ...snapshot, facts: { ...snapshot.facts, kernel: { known: false, why: 'closed', evidence: [] } } } as Snapshot
  const KEY = 'berth.dev/kernel'
  const begun = (annotations: Record<string, string>, labels = right) => {
    const set = stage(labels, () => false, 86_400_000)
    Object.assign(set.node.annotations, annotations)
    return set
  }
  const report = { 'berth.dev/report': reportAnnotation(snapshot, '0') }

  test('is held by the report of this boot, for a time that is counted from the beginning of the agent', async () => {
    const { sync, node, view, time } = begun(report)
    await sync.reconcile(unread, view())
    expect(node.labels[KEY]).toBe(right[KEY])
    expect(sync.labelsOf(unread)).toEqual(node.labels)
    // Its own report, which says that nothing is known, changes nothing.
    time.now += UNKNOWN_AFTER - 1
    await sync.reconcile(unread, view())
    expect(node.labels[KEY]).toBe(right[KEY])
    time.now += 1
    await sync.reconcile(unread, view())
    expect(node.labels[KEY]).toBeUndefined()
  })

  test('that somebody set by hand is not held, whatever else the report says', async () => {
    for (const annotations of [{}, { 'berth.dev/report': reportAnnotation(unread, '0') }]) {
      const { sync, node, view } = begun(annotations, { ...right, [KEY]: '9.9' })
      await sync.reconcile(unread, view())
      expect(node.labels[KEY]).toBeUndefined()
    }
    const { sync, node, view } = begun(report, { ...right, [KEY]: '9.9' })
    await sync.reconcile(unread, view())
    expect(node.labels[KEY]).toBe(right[KEY])
  })
})
