import type { Archive } from './archive.ts'

export type Series = keyof typeof SUITES

/** The kernels to boot, each with the suite of Debian that it is the kernel of. */
export const SUITES = { '5.10': 'bullseye', '6.1': 'bookworm', '6.12': 'trixie' } as const

/** What `uname -r` says: the newest of each series that the archive has. The cloud flavour is small, and what nodes run. */
export async function newestReleases(archive: Pick<Archive, 'versions'>): Promise<Readonly<Record<Series, string>>> {
  const found = await archive.versions('linux-image-cloud-amd64')
  const release = (series: string): string => {
    const depends = found.find(({ version }) => version.startsWith(`${series}.`))?.depends ?? ''
    const [, name] = /linux-image-(\S+)/.exec(depends) ?? []
    if (!name) throw new Error(`Debian's archive, as this machine reaches it, has no kernel ${series}`)
    return name
  }
  return { '5.10': release('5.10'), '6.1': release('6.1'), '6.12': release('6.12') }
}

/** The kernel, its modules, and what modules of one's own are built with (the headers name their compiler, which comes along). */
export const kernelPackages = (release: string): readonly string[] => [`linux-image-${release}`, `linux-headers-${release}`]
