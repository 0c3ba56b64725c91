import { STORMS, type StormResult } from './storm/storms.ts'

const [WIDTH, HEIGHT, GAP, LEFT] = [620, 70, 34, 46]
const TOP = 1_500 // requests a second, the line that none may cross
const LONGEST = 240 // seconds

/** Requests a second over time, a strip for each storm, as one SVG that reads on light and dark. Pure. */
export function plot(storms: Readonly<Record<string, StormResult>>): string {
  const strips = Object.entries(storms).map(([name, result], index) => strip(STORMS[name]?.title ?? name, result, index))
  const height = strips.length * (HEIGHT + GAP) + 10
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${height}" font-family="sans-serif" font-size="11">`,
    '<style>text{fill:#777}.l{stroke:#999;stroke-width:.5}.m{stroke:#c33;stroke-width:.7;stroke-dasharray:3 3}.a{fill:#4a7fb5}.c{fill:#999;opacity:.18}</style>',
    ...strips.flat(),
    '</svg>',
    ''
  ].join('\n')
}

function strip(title: string, { seconds, cause, peak }: StormResult, index: number): readonly string[] {
  const top = index * (HEIGHT + GAP) + 20
  const bottom = top + HEIGHT
  const x = (second: number): string => (LEFT + (Math.min(second, LONGEST) / LONGEST) * WIDTH).toFixed(1)
  const y = (count: number): string => (bottom - (count / TOP) * HEIGHT).toFixed(1)
  const points = seconds
    .slice(0, LONGEST)
    .flatMap((count, second) => [`${x(second)},${y(count)}`, `${x(second + 1)},${y(count)}`])
  const end = x(Math.min(seconds.length, LONGEST))
  const before = 5
  return [
    `<text x="${LEFT}" y="${top - 6}">${title}: at most ${peak.toLocaleString('en')} requests/s</text>`,
    `<rect class="c" x="${x(before)}" y="${top}" width="${(Number(x(before + cause)) - Number(x(before))).toFixed(1)}" height="${HEIGHT}"/>`,
    `<polygon class="a" points="${x(0)},${bottom} ${points.join(' ')} ${end},${bottom}"/>`,
    `<line class="m" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${top}" y2="${top}"/>`,
    `<line class="l" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${bottom}" y2="${bottom}"/>`,
    `<text x="${LEFT - 4}" y="${top + 4}" text-anchor="end">1,500</text>`,
    `<text x="${LEFT - 4}" y="${bottom + 4}" text-anchor="end">0</text>`,
    ...[60, 120, 180].map(at => `<text x="${x(before + at)}" y="${bottom + 11}" text-anchor="middle">${at} s</text>`)
  ]
}
