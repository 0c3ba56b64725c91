import { median } from './bench-print.ts'
import type { Result } from './compare-measure.ts'

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 0)
const mib = (value: number): string => `${value.toFixed(1)} MiB`

/** `1.18 s (1.15 to 1.22, n = 5)`, from milliseconds. */
function times(values: readonly number[]): string {
  if (values.length === 0) return 'no such label'
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${seconds(median(values))} s (${seconds(low)} to ${seconds(high)}, n = ${values.length})`
}

const list = (entries: Readonly<Record<string, string>>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${name}: ${value}`)
    .join('; ')

const byProcess = ({ usage }: Result, value: (one: Result['usage'][number]) => string): string =>
  list(Object.fromEntries(usage.map(one => [one.name, value(one)])))

function requests({ requests }: Result): string {
  const all = Object.values(requests).reduce((sum, count) => sum + count, 0)
  const kinds = Object.entries(requests).map(([name, count]) => `${count} \`${name}\``)
  return kinds.length === 0 ? '0' : `${all} (${kinds.join(', ')})`
}

const ROWS: Readonly<Record<string, (result: Result) => string>> = {
  'all started together, to the first label': ({ together }) => times(together),
  'the part of the node started, to the first label': ({ alone }) => times(alone),
  'labels on the Node': ({ labels }) => `${labels}`,
  'resident memory after the idle time': result => byProcess(result, ({ resident }) => mib(resident)),
  'of that anonymous': result => byProcess(result, ({ anonymous }) => mib(anonymous)),
  'CPU time in the idle time': result => byProcess(result, ({ cpu }) => `${cpu.toFixed(2)} s`),
  'requests to the API server in the idle time': requests,
  'received from the API server in the idle time': ({ received }) => `${(received / 1000).toFixed(1)} kB`,
  'new version in `/etc/os-release`, to its label': ({ version }) => times(version),
  'new mode of `/dev/fuse`, to its label': ({ fuse }) => times(fuse),
  'size of the programs': ({ sizes }) =>
    list(Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, mib(size / 2 ** 20)])))
}

/** A table in Markdown, a column for each. */
export function table(results: readonly Result[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  const rows = Object.entries(ROWS).map(([name, cell]) => row([name, ...results.map(cell)]))
  return `${row(['', ...results.map(({ title }) => title)])}${row(['', ...results].map(() => '---'))}${rows.join('')}`
}
