import type { HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { readKernel } from './kernel.ts'

export interface Headers {
  /** Where the build directory really lies, empty when there is none. */
  readonly directory: string
  /** What kbuild needs and the directory lacks, as paths below it. */
  readonly missing: readonly string[]
  /** `is_idmapped_mnt` stands in include/linux/fs.h; without it the 5.15 source of shiftfs does not compile. */
  readonly isIdmappedMnt: boolean
  /** `struct renamedata` stands there; with it the 5.10 source does not compile. */
  readonly renamedata: boolean
}

const NEEDED = [
  'Makefile',
  'Module.symvers',
  'include/generated/autoconf.h',
  'scripts/basic/fixdep',
  'scripts/mod/modpost'
] as const

/** The kernel headers of the running kernel, as an out-of-tree build would use them. */
export const detectHeaders: Detector<Headers> = async ({ host }) => {
  const { release } = await readKernel(host)
  const modules = `/lib/modules/${release}`
  const directory = await host.realpath(`${modules}/build`)
  if (directory === undefined) return { directory: '', missing: [...NEEDED], isIdmappedMnt: false, renamedata: false }
  const missing = await absentOf(host, directory)
  const found = await readFsHeader(host, directory, `${modules}/source`)
  return {
    directory,
    missing: found === undefined ? [...missing, 'include/linux/fs.h'] : missing,
    isIdmappedMnt: found?.some(line => line.includes('is_idmapped_mnt')) ?? false,
    renamedata: found?.some(line => line.includes('struct renamedata')) ?? false
  }
}

async function absentOf(host: HostReader, directory: string): Promise<readonly string[]> {
  const there = await Promise.all(NEEDED.map(async name => (await host.stat(`${directory}/${name}`))?.kind === 'file'))
  return NEEDED.filter((_, index) => !there[index])
}

/** The last stands in every kernel's file; without it the file was emptied, and tells nothing by what it lacks. */
const SIGNS = /\b(is_idmapped_mnt|struct renamedata|struct super_operations \{)/

/** Debian keeps the headers that all flavours share in a folder of their own, which `source` leads to. */
async function readFsHeader(host: HostReader, directory: string, source: string): Promise<readonly string[] | undefined> {
  const common = await host.realpath(source)
  for (const folder of [directory, ...(common === undefined ? [] : [common])]) {
    const path = `${folder}/include/linux/fs.h`
    const lines = await host.lines(path, SIGNS)
    if (lines === undefined) continue
    if (!lines.some(line => line.includes('struct super_operations'))) throw new Unsure(`${path} is not the kernel's own`)
    return lines
  }
  return undefined
}

export const headersFact = defineFact({
  name: 'headers',
  describes: 'kernel headers, and whether they are complete enough to build a module',
  detect: detectHeaders,
  format: ({ directory, missing }) => {
    if (directory === '') return 'none'
    return missing.length === 0 ? `complete, in ${directory}` : `not complete: no ${missing.join(', ')} in ${directory}`
  }
})
