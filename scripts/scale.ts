import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import { writeDocuments } from '../test/scale/document.ts'
import { furnish, measure, startFleet } from '../test/scale/fleet.ts'
import { record, SMALL } from '../test/scale/recorded.ts'
import { STORMS, simulate } from '../test/scale/storm/storms.ts'
import { startControlPlane } from '../test/support/cluster/control-plane.ts'
import { applyManifests } from '../test/support/cluster/manifests.ts'

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '200,500,1000' },
    'no-storms': { type: 'boolean', default: false },
    processes: { type: 'string', default: '2' }
  }
})

/**
 * Seconds after the first agent began, from when on it is counted, and for how long. Watches live 300 to 600 s, so that agents which
 * began together renew them together at first: in this span there are as many renewals as in the long run, 8 an hour.
 */
const SETTLED = 400
const COUNTED = 400

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** What agents cost a real API server, by how many they are. */
async function measured(agents: number): Promise<void> {
  const cluster = await startControlPlane()
  try {
    await applyManifests(cluster)
    const homes = await furnish(cluster, agents)
    await sleep(10_000) // what furnishing set off ends
    const alone = await measure(cluster, 0, 60, [])
    const began = Date.now()
    const fleet = await startFleet(cluster.directory, homes, { processes: Number(values.processes), ramp: 20_000 })
    try {
      say(`${agents} agents have published ${Math.round((Date.now() - began) / 1000)} s after the first began`)
      await sleep(SETTLED * 1000 - (Date.now() - began))
      const run = await measure(cluster, agents, COUNTED, fleet.pids)
      const { stdout: commit } = await execa('git', ['describe', '--always', '--dirty'])
      await record('fleet', String(agents), { date: new Date().toISOString().slice(0, 10), commit, alone, run })
      say(JSON.stringify({ alone, run }, undefined, 2))
    } finally {
      await fleet.end()
    }
  } finally {
    await cluster.close()
  }
}

/**
 * What many agents do when something happens to all of them at once. The few come last: tests compare them with the code, and so know
 * whether the many are by the same.
 */
async function simulated(): Promise<void> {
  for (const [name, storm] of Object.entries(STORMS)) {
    for (const [part, agents] of [
      ['storms', 15_000],
      ['small', SMALL]
    ] as const) {
      const result = await simulate(storm, agents)
      const { peak, cause, rightAfter } = result
      say(
        `${storm.title}, ${agents} agents: at most ${peak} requests/s; the cause lasts ${cause} s, all is right ${rightAfter} s later`
      )
      await record(part, name, result)
    }
  }
}

if (!values['no-storms']) await simulated()
for (const agents of values.agents.split(',').filter(one => one !== '')) await measured(Number(agents))
await writeDocuments()
