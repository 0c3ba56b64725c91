import { copyFile, cp, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { CpioFile } from './cpio.ts'
import type { KernelFiles } from './image.ts'

export type BuildableStandIn = 'shiftfs' | 'shiftfs-broken'
/** The folders of `modules/`: one that works, one that fails at rename with EOVERFLOW, one that does not compile. */
export type StandIn = BuildableStandIn | 'shiftfs-uncompilable'

export const MODULES = join(import.meta.dirname, 'modules')

/** The folders for kernels that `--shiftfs-source` has; the stand-in is the same source in all. */
export const RANGES = ['k5.10', 'k6.1'] as const

/** The stand-in as an operator would provide it, for a machine's `files`: FOLDER/RANGE/{shiftfs.c,Makefile}. */
export async function standInSource(name: StandIn, folder: string): Promise<readonly CpioFile[]> {
  const source = { path: 'shiftfs.c', data: await readFile(sourceOf(name)) }
  const makefile = { path: 'Makefile', data: await readFile(join(MODULES, name, 'Makefile')) }
  return RANGES.flatMap(range => [source, makefile].map(file => ({ ...file, path: `${folder}/${range}/${file.path}` })))
}

/** The stand-in, already built for a kernel, for a machine's `files`: as if somebody had put it there. */
export async function standInModule(name: BuildableStandIn, kernel: KernelFiles, path: string): Promise<CpioFile> {
  return { path, data: await readFile(join(kernel.standIns, `${name}.ko`)) }
}

/** Builds them with the toolchain and headers of the machine's disk, but not in a machine, where it takes 25 times as long. */
export async function buildStandIns(root: string, release: string, target: string): Promise<void> {
  const scratch = join(root, 'stand-in')
  await mkdir(target)
  for (const name of ['shiftfs', 'shiftfs-broken'] as const) {
    await cp(join(MODULES, name), scratch, { recursive: true })
    await copyFile(sourceOf(name), join(scratch, 'shiftfs.c'))
    await execa('chroot', [root, 'make', '-s', '-C', `/lib/modules/${release}/build`, 'M=/stand-in'])
    await copyFile(join(scratch, 'shiftfs.ko'), join(target, `${name}.ko`))
    await rm(scratch, { recursive: true })
  }
}

/** The broken one is the same source, with another Makefile. */
const sourceOf = (name: StandIn): string => join(MODULES, name === 'shiftfs-broken' ? 'shiftfs' : name, 'shiftfs.c')
