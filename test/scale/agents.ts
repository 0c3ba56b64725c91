import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { runAgent } from '../../src/agent/agent.ts'
import { introduce } from '../../src/agent/introduction.ts'
import { createDiary } from '../../src/agent/telemetry.ts'
import { parseConfig } from '../../src/cli/config.ts'
import { openHost } from '../../src/cli/open-host.ts'
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

/** One agent as the daemon runs it, with nothing replaced but its pages; many of them live in this process. */
async function live(name: string, kubeconfig: string, recording: string, onPublished: () => void): Promise<void> {
  const config = parseConfig(['run', '--kubeconfig', kubeconfig, '--node-name', name, '--host-root', recording], {}, {})
  const introduction = await introduce(config)
  const host = await openHost(recording)
  const metrics = createMetrics({ version: VERSION })
  const diary = createDiary({ log, metrics, node: name, prefix: 'berth.dev', version: VERSION, clock, patience: 600_000 })
  let told = false
  const turned: typeof diary.turned = (isPublished, wanted) => {
    diary.turned(isPublished, wanted)
    if (isPublished && !told) onPublished()
    told ||= isPublished
  }
  await runAgent(config, {
    ...{ clock, host, early: host, introduction, diary: { ...diary, turned } },
    ...{ signal: new AbortController().signal, random: Math.random },
    sleep: (milliseconds, signal) => wait(milliseconds, undefined, { signal }).catch(() => undefined)
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
