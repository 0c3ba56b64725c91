import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * From now on V8 compiles nothing to machine code: little in the daemon runs often enough to pay for it, and the compilers are 5 MiB of
 * Node's own file that nothing else touches. Said while it runs and after Node's own modules were loaded: with such a flag on the
 * command line V8 refuses the code that Node brings with it, and the start takes 30 ms longer.
 */
export function withoutCompilers(): void {
  for (const flag of ['--no-opt', '--no-maglev', '--no-sparkplug']) setFlagsFromString(flag)
}

const GROWN = 1024 * 1024 // bytes

/**
 * What collects when it is called. The first time it gives back all that only the start needed, 2 to 4 MiB, in about 40 ms; then what
 * came since, once that is a MiB. V8 itself waits for several MiB, which on a node where little happens takes hours.
 */
export function createCollector(): () => void {
  let after: number | undefined
  return () => {
    if (after !== undefined && process.memoryUsage().heapUsed < after + GROWN) return
    setFlagsFromString('--expose-gc')
    // Else V8 takes our collection as a reason for two more, step by step, eight seconds later: 45 ms of CPU, and 2 MiB that stay.
    setFlagsFromString('--no-incremental-marking')
    const gc = runInNewContext('gc') as NodeJS.GCFunction
    gc({ type: 'major', execution: 'sync', flavor: after === undefined ? 'last-resort' : 'regular' })
    after = process.memoryUsage().heapUsed
  }
}
