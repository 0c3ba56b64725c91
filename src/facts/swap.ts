import { completeText } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { listed } from './listed.ts'
import { requireMounted } from './numbers.ts'

/** One swap device or file that is in use. */
export interface SwapArea {
  readonly path: string
  /** KiB. */
  readonly size: number
}

/** Linux 6.1, mm/swapfile.c, swap_show; absent in a kernel without CONFIG_SWAP. */
const SWAPS = '/proc/swaps'

const detectSwap: Detector<readonly SwapArea[]> = async ({ host }) => {
  await requireMounted(host, 'proc')
  const text = await host.read(SWAPS)
  if (text === undefined) return []
  const areas = parseSwaps(completeText(SWAPS, text))
  if (areas === undefined) throw new Unsure(`${SWAPS} has an unexpected format`)
  return areas
}

/** `undefined` if the format is not the kernel's. A path has spaces as `\040`. */
export function parseSwaps(text: string): readonly SwapArea[] | undefined {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  if (!/^Filename\s+Type\s+Size\s+Used\s+Priority$/.test(head)) return undefined
  const found = lines.map(line => /^(\S+)\s+(?:partition|file)\s+(\d{1,15})\s+\d+\s+-?\d+$/.exec(line))
  if (found.some(match => match === null)) return undefined
  return found.map(match => ({ path: match?.[1] ?? '', size: Number(match?.[2]) }))
}

export const swapFact = defineFact({
  name: 'swap',
  describes: 'active swap devices and files',
  detect: detectSwap,
  format: areas =>
    listed(
      areas.map(({ path, size }) => `${size} KiB on ${path}`),
      'none'
    ),
  isInformational: true
})
