import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Fleet, furnish, type Measured, measure, startFleet } from '../scale/fleet.ts'
import { requestsIn } from '../scale/requests.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { applyManifests } from '../support/cluster/manifests.ts'

const AGENTS = 50
/** Requests of an agent and minute: a heartbeat every 5 minutes, a renewed watch every 5 to 10, and at first the guard check, once. */
const AT_REST = 1.8

let cluster: ControlPlane
let fleet: Fleet
let began: number
let rest: Measured

beforeAll(async () => {
  cluster = await startControlPlane()
  await applyManifests(cluster)
  const homes = await furnish(cluster, AGENTS)
  began = Date.now()
  fleet = await startFleet(cluster.directory, homes, { processes: 2, ramp: 1_000 })
  await sleep(3_000) // the guard checks follow the labels
  rest = await measure(cluster, AGENTS, 10, fleet.pids)
})
afterAll(async () => {
  await fleet?.end()
  await cluster?.close()
})

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, one) => all + one, 0)

test('fifty agents start with a few requests each, and no list, get or other among them', async () => {
  const counts = await requestsIn(cluster.auditLog, began, Date.now())
  console.info(`${AGENTS} agents started: ${JSON.stringify(counts)}`)
  // Its own Node's for good; in the next minutes one more, that names another Node for the guard check and ends there.
  expect(counts['watch nodes 200']).toBeGreaterThanOrEqual(AGENTS)
  expect(counts['watch nodes 200']).toBeLessThan(1.2 * AGENTS)
  expect(counts['create selfsubjectreviews 201']).toBe(AGENTS)
  expect(
    Object.keys(counts).filter(what => !/^(watch nodes|patch nodes|create (events|selfsubjectreviews)) ?/.test(what))
  ).toEqual([])
  // Who we are, the watch, the labels, the condition, an event, a dry run, and one more for who was refused once.
  expect(sum(counts)).toBeLessThanOrEqual(8 * AGENTS)
})

test('each of them has one connection', () => {
  expect(rest.connections).toBe(AGENTS)
})

test('at rest they ask for next to nothing', () => {
  console.info(`${AGENTS} agents at rest for ${rest.seconds} s: ${JSON.stringify(rest)}`)
  expect((sum(rest.requests) / AGENTS / rest.seconds) * 60).toBeLessThanOrEqual(AT_REST)
})
