import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { observe } from '../src/facts/observe.ts'
import { localHost } from '../src/host/local.ts'
import { benchAgent } from './bench-agent.ts'
import { benchHelper } from './bench-helper.ts'
import { line, median } from './bench-print.ts'
import { warm } from './bench-process.ts'
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
    await warm(BUNDLE, env)
    await benchHelper(BUNDLE, env)
    await benchAgent(BUNDLE, env)
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

await main()
