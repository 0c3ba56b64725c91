import type { HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { readKernel } from './kernel.ts'

export interface Headers {
  /** The build directory with links resolved; empty if it does not exist. */
  readonly directory: string
  /** Files that kbuild needs and that are missing, as paths below the directory. */
  readonly missing: readonly string[]
  /** include/linux/fs.h has `is_idmapped_mnt`; without it the 5.15 source of shiftfs does not compile. */
  readonly isIdmappedMnt: boolean
  /** include/linux/fs.h has `struct renamedata`; with it the 5.10 source of shiftfs does not compile. */
  readonly renamedata: boolean
}

const NEEDED = [
  'Makefile',
  'Module.symvers',
  'include/generated/autoconf.h',
  'scripts/basic/fixdep',
  'scripts/mod/modpost'
] as const

/** The headers of the running kernel that an out-of-tree build would use. */
export const detectHeaders: Detector<Headers> = async ({ host }) => {
  const { release } = await readKernel(host)
  const modules = `/lib/modules/${release}`
  const directory = await host.realpath(`${modules}/build`)
  if (directory === undefined) return { directory: '', missing: [...NEEDED], isIdmappedMnt: false, renamedata: false }
  const missing = await missingFiles(host, directory)
  const found = await readFsHeader(host, directory, `${modules}/source`)
  return {
    directory,
    missing: found === undefined ? [...missing, 'include/linux/fs.h'] : missing,
    isIdmappedMnt: found?.some(line => line.includes('is_idmapped_mnt')) ?? false,
    renamedata: found?.some(line => line.includes('struct renamedata')) ?? false
  }
}

async function missingFiles(host: HostReader, directory: string): Promise<readonly string[]> {
  const exists = await Promise.all(NEEDED.map(async name => (await host.stat(`${directory}/${name}`))?.kind === 'file'))
  return NEEDED.filter((_, index) => !exists[index])
}

/** Every kernel's fs.h has the last of these. Without it the file is incomplete, and a missing line proves nothing. */
const SIGNS = /\b(is_idmapped_mnt|struct renamedata|struct super_operations \{)/

/** On Debian the link `source` leads to a folder with the headers that all flavours share. */
async function readFsHeader(host: HostReader, directory: string, source: string): Promise<readonly string[] | undefined> {
  const common = await host.realpath(source)
  for (const folder of [directory, ...(common === undefined ? [] : [common])]) {
    const path = `${folder}/include/linux/fs.h`
    const lines = await host.lines(path, SIGNS)
    if (lines === undefined) continue
    if (!lines.some(line => line.includes('struct super_operations'))) throw new Unsure(`${path} is not a header of the kernel`)
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
    return missing.length === 0 ? `complete, in ${directory}` : `incomplete: no ${missing.join(', ')} in ${directory}`
  }
})
