import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { observe } from '../src/facts/observe.ts'
import { localHost } from '../src/host/local.ts'
import { type ControlPlane, startControlPlane } from '../test/cluster/control-plane.ts'
import { createNode, realisticNode } from '../test/cluster/nodes.ts'
import { ROOT } from './steps.ts'

/** Counted runs, after one that is not counted. The machine may be noisy: only the ratios in one run mean something. */
const RUNS = 9
const BUNDLE = join(ROOT, 'dist/berth.mjs')
const NODE = process.execPath

async function main(): Promise<void> {
  await execa(NODE, [join(ROOT, 'scripts/build.ts')], { stdio: ['ignore', 'ignore', 2] })
  const cache = await mkdtemp(join(tmpdir(), 'berth-bench-'))
  try {
    // As in the image, where the compile cache is baked in.
    const env = { NODE_COMPILE_CACHE: cache }
    await benchReport(env)
    await benchDetectors()
    await benchRunOnce(env)
  } finally {
    await rm(cache, { recursive: true, force: true })
  }
}

async function benchReport(env: Record<string, string>): Promise<void> {
  const empty: number[] = []
  const cold: number[] = []
  const warm: number[] = []
  for (let index = 0; index <= RUNS; index += 1) {
    const times = [await wall(['-e', '0'], {}), await wall([BUNDLE, 'report'], {}), await wall([BUNDLE, 'report'], env)] as const
    if (index === 0) continue
    empty.push(times[0])
    cold.push(times[1])
    warm.push(times[2])
  }
  line('node -e 0', empty, 'ms')
  line('report, no compile cache', cold, 'ms', median(cold) / median(empty))
  line('report, warm compile cache', warm, 'ms', median(warm) / median(empty))
  line('report, peak memory', await peaks([BUNDLE, 'report']), 'MiB')
  line('node -e 0, peak memory', await peaks(['-e', '0']), 'MiB')
}

async function wall(argv: readonly string[], env: Record<string, string>): Promise<number> {
  const begin = performance.now()
  await execa(NODE, argv, { env, stdout: 'ignore' })
  return performance.now() - begin
}

/** The process tells its own peak as it ends; the kernel counts it in KiB. */
async function peaks(argv: readonly string[]): Promise<readonly number[]> {
  const hook = 'process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS))'
  const found: number[] = []
  for (let index = 0; index < RUNS; index += 1) {
    const { stderr } = await execa(NODE, ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, ...argv], {
      stdout: 'ignore'
    })
    found.push(Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024)
  }
  return found
}

async function benchDetectors(): Promise<void> {
  const runs: Record<string, number>[] = []
  const all: number[] = []
  for (let index = 0; index <= RUNS; index += 1) {
    const begin = performance.now()
    const { durations } = await observe({ host: localHost('/'), node: undefined, podSecurity: undefined }, () =>
      performance.now()
    )
    if (index === 0) continue
    all.push(performance.now() - begin)
    runs.push(durations)
  }
  line('one look, all detectors at a time', all, 'ms')
  for (const name of Object.keys(runs[0] ?? {})) {
    line(
      `  ${name}`,
      runs.map(run => (run[name] ?? 0) * 1000),
      'ms'
    )
  }
}

async function benchRunOnce(env: Record<string, string>): Promise<void> {
  const plane = await startControlPlane()
  try {
    await createNode(plane, realisticNode('bench'))
    const cold: number[] = []
    const warm: number[] = []
    for (let index = 0; index <= RUNS; index += 1) {
      const times = [await startToLabel(plane, {}), await startToLabel(plane, env)] as const
      if (index === 0) continue
      cold.push(times[0])
      warm.push(times[1])
    }
    line('run --once: start to label, no compile cache', cold, 'ms')
    line('run --once: start to label, warm compile cache', warm, 'ms')
  } finally {
    await plane.close()
  }
}

/** From the start of the process to the event that tells a watcher of the label. */
async function startToLabel(plane: ControlPlane, env: Record<string, string>): Promise<number> {
  await plane.api('PATCH', '/api/v1/nodes/bench', { metadata: { labels: { 'berth.dev/cvm': null } } })
  const { seen, opened } = watchLabel(plane)
  await opened
  const begin = performance.now()
  const child = execa(NODE, [BUNDLE, 'run', '--once', '--kubeconfig', plane.kubeconfig, '--node-name', 'bench'], {
    env,
    stdout: 'ignore'
  })
  const at = await Promise.race([seen, child.then(() => new Promise<never>(() => {}))])
  await child
  return at - begin
}

function watchLabel(plane: ControlPlane): { readonly seen: Promise<number>; readonly opened: Promise<void> } {
  const opened = Promise.withResolvers<void>()
  const seen = Promise.withResolvers<number>()
  const path = '/api/v1/nodes?watch=1&fieldSelector=metadata.name%3Dbench&timeoutSeconds=60'
  const [cert, key] = ['admin.crt', 'admin.key'].map(name => readFileSync(join(plane.directory, name))) as [Buffer, Buffer]
  const asked = request(`${plane.url}${path}`, { ca: plane.ca, cert, key, agent: false }, answer => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      opened.resolve()
      if (!lines.some(event => event.includes('"berth.dev/cvm":"'))) return
      seen.resolve(performance.now())
      asked.destroy()
    })
  })
  asked.on('error', error => seen.reject(error))
  asked.end()
  return { seen: seen.promise, opened: opened.promise }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

function line(name: string, values: readonly number[], unit: string, ratio?: number): void {
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map(value => value.toFixed(1))
  const times = ratio === undefined ? '' : `   ${ratio.toFixed(1)} × node -e 0`
  process.stdout.write(`${name.padEnd(48)}${middle?.padStart(8)} ${unit}   (${low} to ${high})${times}\n`)
}

await main()
