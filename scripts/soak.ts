import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { eventually } from '../test/support/cluster/agent-process.ts'
import { type ControlPlane, startControlPlane } from '../test/support/cluster/control-plane.ts'
import { applyManifests } from '../test/support/cluster/manifests.ts'
import { createNode, type NodeObject, realisticNode } from '../test/support/cluster/nodes.ts'
import { median } from './bench-print.ts'
import { agentKubeconfig, cpuSeconds, memory, openFiles, start, warm } from './bench-process.ts'
import { ROOT } from './steps.ts'

const NAME = 'soak'
const NODE_PATH = `/api/v1/nodes/${NAME}`
/** Not counted: V8 is still settling. */
const WARM_UP = 5

/** A promise: what the agent remembers of an event is nothing. */
const MOST_GROWTH = 0.2 // MiB in ten minutes

interface Minute {
  readonly anonymous: number
  readonly files: number
}

/** The agent on a Node that changes every second. Tells each minute, and the slope at the end; exit status 1 when it grows. */
async function main(minutes: number): Promise<boolean> {
  await execa(process.execPath, [`${ROOT}/scripts/build.ts`], { stdio: ['ignore', 'ignore', 2] })
  const plane = await startControlPlane()
  try {
    await applyManifests(plane)
    await createNode(plane, realisticNode(NAME))
    const kubeconfig = await agentKubeconfig(plane, NAME, plane.url)
    // As in the image, where the compile cache is baked in.
    const env = { NODE_COMPILE_CACHE: join(plane.directory, 'compile-cache') }
    await warm(`${ROOT}/dist/berth.mjs`, env)
    const child = start({ bundle: `${ROOT}/dist/berth.mjs`, env, kubeconfig, node: NAME, more: ['--listen', '127.0.0.1:0'] })
    try {
      await eventually(
        'the labels are there',
        async () => (await plane.api<NodeObject>('GET', NODE_PATH)).body?.metadata.labels?.['berth.dev/cvm'] !== undefined
      )
      return told(await soaked(plane, child.pid as number, minutes))
    } finally {
      child.kill('SIGTERM')
      await child
    }
  } finally {
    await plane.close()
  }
}

async function soaked(plane: ControlPlane, pid: number, minutes: number): Promise<readonly Minute[]> {
  const seen: Minute[] = []
  const began = performance.now()
  for (let minute = 1; minute <= WARM_UP + minutes; minute += 1) {
    const before = cpuSeconds(pid)
    const anonymous: number[] = []
    for (let second = 1; second <= 60; second += 1) {
      await plane.api('PATCH', NODE_PATH, { metadata: { labels: { 'example.com/soak': `${minute}-${second}` } } })
      anonymous.push(memory(pid, 'RssAnon'))
      await sleep(Math.max(0, began + ((minute - 1) * 60 + second) * 1000 - performance.now()))
    }
    const now = { anonymous: median(anonymous), files: openFiles(pid) }
    seen.push(now)
    print(
      `minute ${minute}: anonymous ${now.anonymous.toFixed(2)} MiB, ${now.files} open files, CPU ${(cpuSeconds(pid) - before).toFixed(2)} s`
    )
  }
  return seen.slice(WARM_UP)
}

function told(minutes: readonly Minute[]): boolean {
  const growth = slope(minutes.map(({ anonymous }) => anonymous)) * 10
  const files = new Set(minutes.map(minute => minute.files))
  print(`anonymous memory: ${growth.toFixed(2)} MiB in ten minutes; expected at most ${MOST_GROWTH}`)
  print(`open files: ${[...files].join(', ')}; expected always the same`)
  return growth <= MOST_GROWTH && files.size === 1
}

/** Of the line through equally distant values that lies nearest to them (least squares). */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const products = values.map((value, index) => (index - middle) * value)
  const squares = values.map((_, index) => (index - middle) ** 2)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  return sum(products) / sum(squares)
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

process.exitCode = (await main(Number(process.argv[2] ?? 30))) ? 0 : 1
