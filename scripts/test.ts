import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPrograms } from './debian.ts'
import { CHECKS, ROOT, step } from './steps.ts'

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Everything that can be tested on this machine; the last line says how it went. A skipped test counts as a failed one. */
async function main(): Promise<void> {
  await installPrograms()
  const checks: boolean[] = []
  for (const [name, file, ...args] of CHECKS) checks.push(await step(name, file, ...args))
  const tests = await runTests()
  const failed = checks.filter(ok => !ok).length + tests.failed + tests.skipped
  if (tests.skipped > 0) process.stdout.write(`${tests.skipped} tests were skipped, which counts as failed\n`)
  process.stdout.write(`${checks.filter(ok => ok).length + tests.passed} passed, ${failed} failed\n`)
  process.exitCode = failed === 0 ? 0 : 1
}

async function runTests(): Promise<Counts> {
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
      `--outputFile.json=${file}`
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

await main()
