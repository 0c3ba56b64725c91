import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { runAgent } from '../../src/agent/agent.ts'
import type { Emit } from '../../src/agent/agent-events.ts'
import { openEarly } from '../../src/agent/early-connection.ts'
import { createFirstLabels } from '../../src/agent/first-labels.ts'
import { createTelemetry } from '../../src/agent/telemetry.ts'
import { parseConfig } from '../../src/cli/config.ts'
import { openHost } from '../../src/cli/open-host.ts'
import type { Pace } from '../../src/kubernetes/reconnect-window.ts'
import { createLog } from '../../src/log.ts'
import { VERSION } from '../../src/version.ts'
import { createMetrics } from '../../src/web/metrics.ts'

/** What this program is told: who lives in it, and over how long they come (milliseconds). */
export interface Homes {
  readonly recording: string
  readonly homes: readonly { readonly name: string; readonly kubeconfig: string }[]
  readonly ramp: number
}

const clock = { elapsed: () => performance.now(), now: () => new Date() }
const log = createLog({ level: 'error', format: 'json', write: line => process.stderr.write(line), now: clock.now })

const sleep: Pace['sleep'] = (milliseconds, signal) => wait(milliseconds, undefined, { signal }).catch(() => undefined)

/** One agent as the daemon runs it, with nothing replaced but its pages; many of them live in this process. */
async function live(name: string, kubeconfig: string, recording: string, onPublished: () => void): Promise<void> {
  const config = parseConfig(['run', '--kubeconfig', kubeconfig, '--node-name', name, '--host-root', recording], {}, {})
  const earlyConnection = await openEarly(config)
  const host = await openHost(recording)
  const metrics = createMetrics({ version: VERSION })
  const telemetry = createTelemetry({ log, metrics, node: name, prefix: 'berth.dev', version: VERSION, clock, patience: 600_000 })
  let told = false
  const emit: Emit = event => {
    telemetry.emit(event)
    if (event.type !== 'turn-ended') return
    if (event.isPublished && !told) onPublished()
    told ||= event.isPublished
  }
  const { signal } = new AbortController()
  await runAgent(config, {
    ...{ clock, host, early: host, earlyConnection, emit, signal, random: Math.random, sleep },
    firstLabels: createFirstLabels(sleep, signal)
  })
}

const { recording, homes, ramp } = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Homes
let missing = homes.length
for (const { name, kubeconfig } of homes) {
  live(name, kubeconfig, recording, () => {
    missing -= 1
    if (missing === 0) process.stdout.write('all have published\n')
  }).catch((error: Error) => {
    process.stderr.write(`${name}: ${error.stack}\n`)
    process.exit(1)
  })
  await wait(ramp / homes.length)
}
