import { appendFileSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import { endAgents, eventually, nodeOf, ownKubeconfig, RELEASE, startAgent } from '../support/cluster/agent-process.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { applyManifests } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { agentInside } from './agent-inside.ts'
import { recordedRoot } from './agent-roots.ts'
import { historyOf, KEEPS_HISTORY, type Labels, storyOf } from './agent-truth.ts'
import { slowProxy } from './slow-proxy.ts'

const recorded = join(import.meta.dirname, '../nodes/gke-ubuntu-22.04.yaml')
let cluster: ControlPlane
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-odds-'))
  cluster = await startControlPlane({ apiServerFlags: KEEPS_HISTORY })
  await applyManifests(cluster)
})
afterAll(async () => {
  await endAgents()
  await cluster?.close()
  await rm(directory, { recursive: true, force: true })
})

interface Wish {
  readonly root?: string
  readonly server?: string
  readonly more?: readonly string[]
  readonly output?: string
}

async function labelled(name: string, { root = recorded, server = cluster.url, more = [], output }: Wish = {}) {
  await createNode(cluster, realisticNode(name))
  const kubeconfig = await ownKubeconfig(cluster, name, server)
  const agent = await startAgent(name, kubeconfig, ['--host-root', root, ...more], output)
  const own = nodeOf(cluster, name)
  await eventually(`${name} is ready`, async () => (await agent.get('/readyz')).status === 200, 60_000)
  return { agent, own, right: await own.ours() }
}

const same = (some: Labels, others: Labels): boolean => JSON.stringify(some) === JSON.stringify(others)

/** How long it takes until the labels are these (milliseconds), for people. */
async function becomes(own: ReturnType<typeof nodeOf>, right: Labels, limit?: number): Promise<number> {
  const began = performance.now()
  await eventually(`the labels are ${JSON.stringify(right)}`, async () => same(await own.ours(), right), limit)
  return Math.round(performance.now() - began)
}

const isForged = (_: string, value: string): boolean => value.startsWith('falsified')

// Together, since these tests mostly wait.
describe.concurrent('the agent lives on, and is right again', () => {
  test('when the API is slow: 300 ms late, then one byte at a time', { timeout: 200_000 }, async () => {
    const proxy = await slowProxy(cluster.url)
    const root = recordedRoot(recorded)
    const { agent, own, right } = await labelled('odd-slow', { root: root.path, server: proxy.url, more: ['--interval', '2s'] })

    proxy.be('late')
    await own.label({ 'berth.dev/distro': 'falsified' })
    const late = await becomes(own, right)

    proxy.be('dripping')
    await createNode(cluster, realisticNode('odd-slow-start'))
    const started = await startAgent('odd-slow-start', await ownKubeconfig(cluster, 'odd-slow-start', proxy.url), [
      '--host-root',
      recorded
    ])
    await own.label({ 'berth.dev/distro': 'falsified' })
    root.write(RELEASE, '6.8.0-1-gke\n')
    await sleep(45_000)
    for (const { alive, get } of [agent, started]) {
      expect(alive()).toBe(true)
      expect(await get('/healthz')).toMatchObject({ status: 200 })
    }
    expect(proxy.dripped()).toBeGreaterThan(5_000)

    proxy.be('quick')
    const changed = { ...right, 'berth.dev/kernel': '6.8', 'berth.dev/userns': 'true' }
    const other = nodeOf(cluster, 'odd-slow-start')
    const quick = await Promise.all([becomes(own, changed), becomes(other, right)])
    console.info(`slow API: ${late} ms while it was late, ${quick.join(' and ')} ms after it had dripped`)
    expect(storyOf(await historyOf(cluster.etcd, 'odd-slow'), isForged)).toEqual(storyOf([right, changed], isForged))
    expect(storyOf(await historyOf(cluster.etcd, 'odd-slow-start'), isForged)).toEqual(storyOf([right], isForged))
    for (const one of [agent, started]) expect(await one.kill('SIGTERM')).toBe(0)
    await proxy.close()
    root.remove()
  })

  test('when the disk of its log is full', { timeout: 120_000 }, async () => {
    const disk = await mkdtemp(join(directory, 'disk-'))
    const [log, filler] = [join(disk, 'log'), join(disk, 'filler')]
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
    try {
      const { agent, own, right } = await labelled('odd-disk', { output: log, more: ['--interval', '1s'] })
      fill(filler)
      await own.label({ 'berth.dev/distro': 'falsified' })
      await becomes(own, right)
      // Whatever room the last block of the log had is used up by now.
      await eventually('the log is full', () => stands(log), 60_000)
      await own.label({ 'berth.dev/distro': 'falsified' })
      await becomes(own, right)
      expect(agent.alive()).toBe(true)
      expect(await agent.get('/healthz')).toMatchObject({ status: 200 })

      const before = statSync(log).size
      rmSync(filler)
      await eventually('it logs again', () => readFileSync(log, 'utf8').includes('"log-lost"'), 20_000)
      // The line that broke off is the only one that is not whole.
      const lines = readFileSync(log, 'utf8').slice(before).split('\n').slice(1, -1)
      expect(lines.length).toBeGreaterThan(0)
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty('event')
      expect(await agent.kill('SIGTERM')).toBe(0)
      expect(storyOf(await historyOf(cluster.etcd, 'odd-disk'), isForged)).toEqual(storyOf([right], isForged))
    } finally {
      await execa('umount', ['--lazy', disk])
    }
  })

  test('when its log can never be written', { timeout: 60_000 }, async () => {
    const { agent, own, right } = await labelled('odd-full', { output: '/dev/full', more: ['--interval', '1s'] })
    await own.label({ 'berth.dev/distro': 'falsified' })
    await becomes(own, right)
    expect(agent.alive()).toBe(true)
    expect(await agent.kill('SIGTERM')).toBe(0)
  })

  test('when the clock jumps a day forth, two back, and the time that only grows jumps too', { timeout: 120_000 }, async () => {
    const name = 'odd-clock'
    await createNode(cluster, realisticNode(name))
    const kubeconfig = await ownKubeconfig(cluster, name)
    const own = nodeOf(cluster, name)
    const run = agentInside(name, kubeconfig, recorded)
    const right = await own.isLabelled()
    const mine = async () => (await own.conditions()).find(({ type }) => type === CONDITION_TYPE)
    const first = await eventually('its condition stands', async () => (await mine()) ?? false)
    const writes = async () => (await own.audited('patch')).length
    const DAY = 24 * 60 * 60_000
    const days: number[] = []
    for (const jump of [{ date: DAY }, { date: -2 * DAY }, { date: DAY }, { date: DAY, elapsed: DAY }]) {
      const [before, looksBefore] = [await writes(), run.looks()]
      const began = performance.now()
      run.jump(jump)
      await eventually('it looks as ever', () => run.looks() - looksBefore >= 5)
      await eventually('its heartbeat is sent', async () => (await writes()) > before)
      const [looks, seconds] = [run.looks() - looksBefore, (performance.now() - began) / 1_000]
      const condition = await mine()
      days.push(Math.round((Date.parse(condition?.['lastHeartbeatTime'] ?? '') - Date.now()) / DAY) + 0)
      expect(condition).toMatchObject({ status: first['status'], lastTransitionTime: first['lastTransitionTime'] })
      // One heartbeat, and no look before its second: a machine that is slow makes them fewer.
      expect((await writes()) - before, JSON.stringify(jump)).toBe(1)
      expect(looks, JSON.stringify(jump)).toBeLessThanOrEqual(seconds + 3)
    }
    // One from the future is refused by the policy, and the one before it stands.
    expect(days).toEqual([0, -1, 0, 0])
    expect(storyOf(await historyOf(cluster.etcd, name), () => false)).toEqual(storyOf([right], () => false))
    await run.end()
  })

  test('when somebody undoes its labels 1,000 times in a minute', { timeout: 300_000 }, async () => {
    const { agent, own, right } = await labelled('odd-storm')
    const before = (await own.audited('patch')).length
    const began = performance.now()
    for (let round = 0; round < 1_000; round += 1) {
      // One key again and again, and between ten others in turn.
      const key = round % 2 === 0 ? 'berth.dev/distro' : `berth.dev/stray-${round % 20}`
      await own.label({ [key]: `falsified-${round}` })
      await sleep(Math.max(0, began + round * 58 - performance.now()))
    }
    const took = Math.round((performance.now() - began) / 1_000)
    // All 13, where the agent hears of each change by itself; on a starved machine it hears of many at once.
    expect(await agent.metric('berth_drift_contested_labels')).toBeGreaterThan(0)
    // Those that rest are given another minute each.
    const after = await becomes(own, right, 120_000)
    await eventually('nothing is contested', async () => (await agent.metric('berth_drift_contested_labels')) === 0, 60_000)
    const writes = (await own.audited('patch')).length - before
    console.info(`1,000 drifts in ${took} s: ${writes} writes, right again ${after} ms after the last one`)
    // Six of each of the 13 keys, then a minute's rest, then six more at the very most.
    expect(writes).toBeLessThanOrEqual(13 * 6 * 2)
    expect(agent.alive()).toBe(true)
    expect(agent.said().split('"drift-contested"').length - 1).toBeLessThanOrEqual(2 * 13)
    expect(storyOf(await historyOf(cluster.etcd, 'odd-storm'), isForged)).toMatchObject(storyOf([right], isForged))
    expect(await agent.kill('SIGTERM')).toBe(0)
  })
})

function fill(path: string): void {
  for (const size of [4_096, 512, 1]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

/** Whether the file has not grown for three looks, each of which has something to say. */
async function stands(path: string): Promise<boolean> {
  const size = existsSync(path) ? statSync(path).size : 0
  await sleep(3_500)
  return statSync(path).size === size
}
