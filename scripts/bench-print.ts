/** The middle one. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** One measure: the median, with the least and the greatest, and how often it is the time of an empty Node process. */
export function line(name: string, values: readonly number[], unit: string, ratio?: number): void {
  const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map(value => value.toFixed(1))
  const times = ratio === undefined ? '' : `   ${ratio.toFixed(1)} × node -e 0`
  process.stdout.write(`${name.padEnd(52)}${middle?.padStart(8)} ${unit}   (${low} to ${high})${times}\n`)
}
