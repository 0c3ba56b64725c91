import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { expect, onTestFinished, test } from 'vitest'
import { clearScratch } from '../../../src/remedies/shiftfs/scratch.ts'
import { temporary } from '../host/temporary.ts'

const RELEASE = 'berth-test'
/** Kernel headers whose make writes for ever, as a compiler would that nobody waits for. */
const MAKEFILE = "modules:\n\t@sh -c 'while :; do mkdir -p $(M)/more; date >$(M)/more/$$$$; sleep 0.01; done'\n"
const MOUNTED = `mkdir -p /lib/modules && mount -t tmpfs tmpfs /lib/modules && mkdir -p /lib/modules/${RELEASE} && ln -s "$1" /lib/modules/${RELEASE}/build`

/** Processes whose command line names a path. */
const working = (path: string): readonly string[] =>
  globSync('/proc/[0-9]*/cmdline').filter(file => {
    try {
      return readFileSync(file, 'utf8').includes(path)
    } catch {
      return false
    }
  })

test('a helper that is killed during make leaves no process, and the next helper starts with a clean directory', async () => {
  const [headers, scratch] = [temporary({ Makefile: MAKEFILE }), temporary()]
  const program = join(import.meta.dirname, 'build-and-die.ts')
  const start = `${MOUNTED} && exec "$2" "$3" ${RELEASE} "$4"`
  const argv = ['--mount', 'sh', '-euc', start, 'sh', headers, process.execPath, program, scratch]
  const child = spawn('unshare', argv, { stdio: 'inherit' })
  onTestFinished(() => {
    for (const file of working(scratch)) process.kill(Number(file.split('/')[2]), 'SIGKILL')
  })
  const ended = once(child, 'exit')
  await expect.poll(() => globSync(join(scratch, '*/more/*')).length, { timeout: 30_000 }).toBeGreaterThan(0)
  child.kill('SIGKILL')
  await ended
  await expect.poll(() => working(scratch), { timeout: 3_000 }).toEqual([])
  await clearScratch(scratch)
  expect(globSync(join(scratch, '*'))).toEqual([])
})
