import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { ROOT } from './root.ts'

export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** SPDX, as its package.json says. */
  readonly license: string
  /** Absolute. */
  readonly folder: string
}

/** Every npm package whose code is in the programs, by the bundler's own account, in the order of their names. */
export async function packagesOf({ outputs }: Metafile): Promise<readonly BundledPackage[]> {
  const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))
  const taken = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  const folders = new Set(taken.flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []))
  const packages = await Promise.all([...folders].map(folder => packageIn(join(ROOT, folder))))
  return packages.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
}

/** Throws `Error` for a folder without a package.json. */
export async function packageIn(folder: string): Promise<BundledPackage> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as BundledPackage
  return { name, version, license, folder }
}

/** `name@version` of every npm package whose code is in the programs of dist. */
export async function bundledPackages(): Promise<readonly string[]> {
  const metafile = JSON.parse(await readFile(join(ROOT, 'dist/berth.meta.json'), 'utf8')) as Metafile
  return (await packagesOf(metafile)).map(nameOf)
}

function nameOf({ name, version }: BundledPackage): string {
  return `${name}@${version}`
}
