import { type Detector, defineFact } from './define-fact.ts'
import { listed } from './listed.ts'
import { readCount, requireMounted } from './numbers.ts'

/** Number of reserved huge pages, by size in KiB. */
export type HugePages = Readonly<Record<string, number>>

/** One directory for each size, `hugepages-2048kB` (Linux 6.1, mm/hugetlb.c, hugetlb_sysfs_init). */
const DIRECTORY = '/sys/kernel/mm/hugepages'
const SIZE = /^hugepages-(\d+)kB$/

const detectHugePages: Detector<HugePages> = async ({ host }) => {
  await requireMounted(host, 'sys')
  const sizes = ((await host.list(DIRECTORY)) ?? []).flatMap(name => SIZE.exec(name)?.[1] ?? [])
  const counts = sizes.map(async size => [size, (await readCount(host, `${DIRECTORY}/hugepages-${size}kB/nr_hugepages`)) ?? 0])
  return Object.fromEntries(await Promise.all(counts))
}

export const hugepagesFact = defineFact({
  name: 'hugepages',
  describes: 'number of reserved huge pages, by size',
  detect: detectHugePages,
  format: pages =>
    listed(
      Object.entries(pages).map(([size, count]) => `${count} of ${size} KiB`),
      'not supported by this kernel'
    ),
  isInformational: true
})
