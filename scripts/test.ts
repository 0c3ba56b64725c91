import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { obstacles } from '../test/support/obstacles.ts'
import { allParts } from '../test/support/parts.ts'
import { PreparationError, prepare } from '../test/support/prepare.ts'
import { CHECKS, ROOT, step } from './steps.ts'

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/**
 * Everything that can be tested on this machine; the last line says how it went. A skipped test counts as a failed one.
 * `--quick` leaves out all that needs more than npm's packages; `--prepare` only prepares.
 */
async function main(options: readonly string[]): Promise<void> {
  const quick = options.includes('--quick')
  if (!quick && !(await prepared())) return conclude({ passed: 0, failed: 1, skipped: 0 })
  if (options.includes('--prepare')) return
  const checks: boolean[] = []
  for (const [name, file, ...args] of CHECKS) checks.push(await step(name, file, ...args))
  const { passed, failed, skipped } = await runTests(quick ? ['--project', 'unit'] : [])
  conclude({ passed: checks.filter(Boolean).length + passed, failed: checks.filter(ok => !ok).length + failed, skipped })
}

function conclude({ passed, failed, skipped }: Counts): void {
  if (skipped > 0) print(`${skipped} tests were skipped, which counts as failed`)
  print(`${passed} passed, ${failed + skipped} failed`)
  process.exitCode = failed + skipped === 0 ? 0 : 1
}

/** Whether everything is there now; what is in the way is printed. */
async function prepared(): Promise<boolean> {
  const reasons = await obstacles()
  if (reasons.length > 0) {
    for (const reason of reasons) print(reason)
    print('`npm run test:quick` needs neither root nor Go.')
    return false
  }
  try {
    await prepare(await allParts(), { print, elapsed: () => performance.now() })
    return true
  } catch (error) {
    if (!(error instanceof PreparationError)) throw error
    print(error.message)
    return false
  }
}

async function runTests(more: readonly string[]): Promise<Counts> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-test-'))
  const file = join(directory, 'results.json')
  try {
    const ok = await step(
      'tests',
      process.execPath,
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...more
    )
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(await readFile(file, 'utf8')) as Record<
      string,
      number
    >
    const failed = numFailedTests ?? 0
    // A file that cannot even be loaded has no failed test in it, and still nothing is well.
    return {
      passed: numPassedTests ?? 0,
      failed: ok ? failed : Math.max(1, failed),
      skipped: (numPendingTests ?? 0) + (numTodoTests ?? 0)
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

await main(process.argv.slice(2))
