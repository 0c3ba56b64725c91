import { readFile } from 'node:fs/promises'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig } from '../../src/cli/config.ts'
import { fleetFrom } from '../../src/commands/fleet.ts'
import type { FleetWorld } from '../../src/fleet/gather.ts'
import { ALL_CAPABILITIES } from '../../src/verdicts/all.ts'
import { eventually } from '../support/cluster/agent-process.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { createNode, type NodeObject } from '../support/cluster/nodes.ts'
import { agentNode, bareNode, NOW, recordedFleet } from '../support/recorded-fleet.ts'
import { type Answers, type FakeApi, fakeApi, json, refuse, text } from './fake-api.ts'
import { sharedControlPlane } from './shared.ts'

const JUDGED = ALL_CAPABILITIES.filter(({ optIn }) => optIn === undefined)

// Other files' Nodes are in the shared cluster too: those of this file are in pools of their own.
const shared = sharedControlPlane()
const POOL = 'eks.amazonaws.com/nodegroup'
const open: FakeApi[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

interface Running {
  readonly said: () => string
  readonly ended: Promise<number>
}

interface More extends Partial<FleetWorld> {
  readonly kubeconfig?: string
  readonly isTTY?: boolean
}

/** In this process, so that a test can give another page size and another API. */
function start(args: readonly string[], { kubeconfig = shared.kubeconfig, isTTY = false, ...more }: More = {}): Running {
  const config = parseConfig(['fleet', '--kubeconfig', kubeconfig, ...args], { COLUMNS: '120' }, { isTTY, columns: 120 })
  const world = { sleep: async () => undefined, random: () => 0, connection: {}, signal: new AbortController().signal, limit: 3 }
  let said = ''
  const print = (piece: string) => {
    said += piece
  }
  const ended = fleetFrom(config, { print, clock: { elapsed: () => 0, now: () => NOW } }, { ...world, ...more })
  // Whoever waits for it hears of it.
  ended.catch(() => undefined)
  return { said: () => said, ended }
}

async function fleet(args: readonly string[], more: More = {}) {
  const { said, ended } = start(args, more)
  return { status: await ended, text: said() }
}

async function fake(answers: Answers): Promise<{ readonly api: FakeApi; readonly kubeconfig: string }> {
  const api = await fakeApi(answers)
  open.push(api)
  const cluster = { server: `http://127.0.0.1:${api.port}`, 'insecure-skip-tls-verify': true }
  return { api, kubeconfig: await writeKubeconfig(shared.directory, { cluster }) }
}

const rowOf = (said: string, name: string) =>
  said
    .split('\n')
    .find(line => line.startsWith(`  ${name} `))
    ?.trim()
    .split(/\s+/)

describe('on a real API server', () => {
  const names = Array.from({ length: 7 }, (_, index) => `fleet-${index}`)
  beforeAll(async () => {
    for (const [index, name] of names.entries()) {
      const node = await agentNode(name, index < 4 ? 'eks-ubuntu-22.04' : 'bottlerocket-fresh', { pool: [POOL, 'fleet'] })
      await createNode(shared, { ...node, apiVersion: 'v1', kind: 'Node' } as unknown as NodeObject)
    }
  })

  test('every Node is there once, with what its labels and its report tell, page by page', async () => {
    const { status, text: said } = await fleet(['--why'], { connection: { userAgent: 'berth-fleet-test' } })
    expect(status).toBe(0)
    for (const [index, name] of names.entries()) {
      expect(said.split(`\n  ${name} `)).toHaveLength(2)
      expect(rowOf(said, name)?.slice(1, 7)).toEqual(index < 4 ? ['yes', 'no', 'no', 'no', 'yes', 'no'] : Array(6).fill('no'))
    }
    expect(said).toMatch(/^EKS node group fleet, 7 nodes +4\/7 +0\/7 +0\/7 +0\/7 +4\/7 +0\/7\b/m)
    expect(said).toMatch(/^ {4}podman +no +user\.max_user_namespaces is 0 \(3 nodes: /m)

    const asked = await eventually('the log of the API server', async () => {
      const lines = (await readFile(shared.auditLog, 'utf8')).split('\n').filter(line => line.includes('berth-fleet-test'))
      const uris = lines.map(line => JSON.parse(line).requestURI as string)
      return uris.length >= 3 && uris
    })
    expect(asked[0]).toBe('/api/v1/nodes?limit=3')
    for (const uri of asked.slice(1)) expect(uri).toMatch(/^\/api\/v1\/nodes\?limit=3&continue=./)
  })

  test.each([
    ['a report of nested arrays', { verdicts: 0, ways: 0 }],
    ['a verdict of nested arrays', { verdicts: { cvm: 0 }, ways: [] }],
    ['ways of nested arrays', { verdicts: {}, ways: 0 }]
  ])('a Node with %s and the label value "constructor" costs its own row alone, which says so', async (_, report) => {
    const name = 'fleet-bad'
    const nested = `${'['.repeat(6_000)}${']'.repeat(6_000)}`
    const node = await agentNode(name, 'eks-ubuntu-22.04', { pool: [POOL, 'fleet-bad'] })
    const labels = { ...node.metadata?.labels, 'berth.dev/podman': 'constructor' }
    const annotations = { ...node.metadata?.annotations, 'berth.dev/report': JSON.stringify(report).replaceAll('0', nested) }
    const bad = { ...node, metadata: { ...node.metadata, labels, annotations }, apiVersion: 'v1', kind: 'Node' }
    await createNode(shared, bad as unknown as NodeObject)
    try {
      const { text: table } = await fleet(['--why'])
      expect(rowOf(table, name)?.slice(1, 7)).toEqual(['yes', 'no', 'no', 'no', 'unknown', 'no'])
      expect(table.split('\n').find(line => line.startsWith(`  ${name} `))).toMatch(
        report.verdicts === 0
          ? /its report cannot be read, expected true, false or unknown: podman="constructor"$/
          : /podman="constructor"$/
      )
      for (const good of names) expect(rowOf(table, good)).toHaveLength(1 + JUDGED.length)
      for (const args of [
        ['--format', 'json'],
        ['--format', 'csv', '--why'],
        ['--format', 'html'],
        ['--capability', 'podman']
      ]) {
        const { status, text: said } = await fleet(args)
        expect([status, said.includes('fleet-0'), said.includes('NaN'), said.includes('native code')]).toEqual([
          0,
          true,
          false,
          false
        ])
      }
      const counts = JSON.parse((await fleet(['--format', 'json'])).text).pools.find(
        (pool: { name: string }) => pool.name === name
      )
      expect(counts.counts.podman).toEqual({ yes: 0, no: 0, unknown: 1, absent: 0, outdated: 0 })
      expect((await fleet(['--autoscaler'])).status).toBe(0)
    } finally {
      await shared.api('DELETE', `/api/v1/nodes/${name}`)
    }
  })

  test('a token that may not list is told so, and what is missing', async () => {
    const token = await shared.tokenFor({ namespace: 'fleet', serviceAccount: 'nobody' })
    const cluster = { server: shared.url, 'certificate-authority': shared.caFile }
    const kubeconfig = await writeKubeconfig(shared.directory, { cluster, user: { token } })
    const refused = expect.objectContaining({
      status: 1,
      message: expect.stringMatching(
        /^cannot list the Nodes at .* forbidden \(403\): .*fleet:nobody" cannot list resource "nodes".*; grant that permission/
      )
    })
    await expect(fleet([], { kubeconfig })).rejects.toEqual(refused)
    await expect(fleet(['--watch'], { kubeconfig })).rejects.toEqual(refused)
  })

  test('--watch sees a label change, a new Node and one that goes', async () => {
    const stop = new AbortController()
    const { said, ended } = start(['--watch'], { signal: stop.signal })
    await eventually('the table', () => said().includes('EKS node group fleet, 7 nodes'))
    const path = (name: string) => `/api/v1/nodes/${name}`
    await shared.api('PATCH', path('fleet-0'), { metadata: { labels: { 'berth.dev/podman': 'false' } } })
    await eventually('the change', () => said().includes('fleet-0: podman yes → no: its label says no, its last report yes'))
    await createNode(shared, bareNode('fleet-new', { pool: [POOL, 'fleet'] }) as unknown as NodeObject)
    await shared.api('DELETE', path('fleet-new'))
    await eventually('the end of the new one', () => said().includes('fleet-new: deleted'))
    expect(said()).toMatch(/^10:00:00 fleet-new: new, EKS node group fleet$/m)
    stop.abort()
    expect(await ended).toBe(0)
  })
})

describe('through an API that fails', () => {
  const list = (items: readonly object[], more: object = {}) => ({
    kind: 'NodeList',
    metadata: { resourceVersion: '7', ...more },
    items
  })
  const named = (name: string) => ({ metadata: { name, labels: { 'berth.dev/cvm': 'true' } } })

  test('a place in the list that is forgotten begins it anew, and no Node of before stays', async () => {
    let [lists, pages] = [0, 0]
    const { kubeconfig } = await fake((request, response) => {
      if (!request.url?.includes('continue=')) json(response, 200, list([named(`of-list-${++lists}`)], { continue: 'next' }))
      else if (++pages === 1) refuse(410, 'Expired')(request, response)
      else json(response, 200, list([named('last')]))
    })
    const { text: said } = await fleet([], { kubeconfig })
    expect(said).toContain('all 2 nodes')
    expect(said).toContain('of-list-2')
    expect(said).not.toContain('of-list-1')
  })

  test('a list that is forgotten again and again ends in an error', async () => {
    const { api, kubeconfig } = await fake((request, response) => {
      if (request.url?.includes('continue=')) refuse(410, 'Expired')(request, response)
      else json(response, 200, list([named('n')], { continue: 'next' }))
    })
    await expect(fleet([], { kubeconfig })).rejects.toThrow('made up Expired')
    expect(api.requests).toHaveLength(8)
  })

  test('a page that breaks off is asked for again, and its Nodes come once', async () => {
    let calls = 0
    const { kubeconfig } = await fake((_, response) => {
      if (++calls > 1) return json(response, 200, list([named('a'), named('b')]))
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(JSON.stringify(list([named('a'), named('b')])).slice(0, -30), () => response.destroy())
    })
    const { text: said } = await fleet([], { kubeconfig })
    expect([calls, said.match(/all \d+ nodes/)?.[0]]).toEqual([2, 'all 2 nodes'])
  })

  test.each([
    ['{"kind":"PodList","items":[]}', 'something that is not a list of Nodes'],
    ['<html>Sign in</html>', 'something that is not a list'],
    ['{"kind":"NodeList","items":[{]}', 'something that is not a list']
  ])('%s is told to be none', async (body, what) => {
    const { kubeconfig } = await fake(text(200, 'application/json', body))
    await expect(fleet([], { kubeconfig })).rejects.toThrow(`cannot list the Nodes: the server responded with ${what}`)
  })

  test('a watch that is forgotten lists anew, and tells what it missed', async () => {
    const stop = new AbortController()
    let lists = 0
    const { kubeconfig } = await fake((request, response) => {
      if (!request.url?.includes('watch=1')) return json(response, 200, list(++lists === 1 ? [named('a')] : [named('b')]))
      if (lists === 1) return refuse(410, 'Expired')(request, response)
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    })
    const { said, ended } = start(['--watch'], { kubeconfig, signal: stop.signal })
    await eventually('what was missed', () => said().includes('b: new, no pool'))
    expect(said()).toContain('a: deleted')
    stop.abort()
    expect(await ended).toBe(0)
  })

  test('a terminal is drawn over, and has the last changes below the pools', async () => {
    const stop = new AbortController()
    const { kubeconfig } = await fake(async (request, response) => {
      if (!request.url?.includes('watch=1')) return json(response, 200, list(await recordedFleet()))
      response.writeHead(200, { 'content-type': 'application/json' })
      const object = { metadata: { ...named('new').metadata, resourceVersion: '8' } }
      response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`)
    })
    const { said, ended } = start(['--watch'], { kubeconfig, signal: stop.signal, isTTY: true })
    await eventually('the change', () => said().includes('new: new, no pool'))
    const [, first = '', second = ''] = said().split('\x1b[H')
    expect(first).toContain('all 40 nodes')
    expect(second).toContain('all 41 nodes')
    for (const drawn of [first, second]) expect(drawn.endsWith('\x1b[K\n\x1b[J')).toBe(true)
    stop.abort()
    expect(await ended).toBe(0)
  })
})
