import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { ROOT } from './steps.ts'

/** `name@version` of every npm package whose code is in dist/berth.mjs, by the bundler's own account. */
export async function bundledPackages(): Promise<readonly string[]> {
  const { outputs } = JSON.parse(await readFile(join(ROOT, 'dist/berth.meta.json'), 'utf8')) as Metafile
  const bundle = Object.entries(outputs).find(([path]) => path.endsWith('berth.mjs'))?.[1]
  const taken = Object.entries(bundle?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  const folders = new Set(taken.flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []))
  const names = [...folders].map(async folder => {
    const { name, version } = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8')) as Record<string, string>
    return `${name}@${version}`
  })
  return (await Promise.all(names)).toSorted()
}
