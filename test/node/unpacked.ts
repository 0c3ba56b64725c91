import { join } from 'node:path'
import { execa } from 'execa'
import { inject } from 'vitest'
import type { Target } from './images.ts'

interface Archive {
  readonly Config: string
  readonly Layers: readonly string[]
}

export interface ImageConfig {
  readonly User?: string
  readonly Entrypoint: readonly [string, ...string[]]
  readonly Cmd: readonly string[]
  readonly Env: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
}

export interface Unpacked {
  /** The file system of the image. */
  readonly root: string
  readonly config: ImageConfig
}

/** Unpacks an image of the Dockerfile into a folder below `folder`. */
export async function unpack(target: Target, folder: string): Promise<Unpacked> {
  const archive = inject('images').archives[target]
  const read = async (name: string) => (await execa('tar', ['-xOf', archive, name])).stdout
  const [{ Config: file, Layers: layers }] = JSON.parse(await read('manifest.json')) as [Archive]
  const { config } = JSON.parse(await read(file)) as { readonly config: ImageConfig }
  const [root, parts] = [join(folder, target), join(folder, `${target}-layers`)]
  await execa('mkdir', [root, parts])
  await execa('tar', ['-xf', archive, '-C', parts])
  for (const layer of layers) await execa('tar', ['-xf', join(parts, layer), '-C', root])
  return { root, config }
}
