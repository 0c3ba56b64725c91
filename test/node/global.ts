import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildImages, type Images } from './images.ts'
import { nodePrograms, prometheusProgram } from './programs.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    images: Images
  }
}

/** vitest's globalSetup: the programs of a node, Prometheus, and today's images. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-images-'))
  await nodePrograms()
  await prometheusProgram()
  project.provide('images', await buildImages(folder))
  return () => rm(folder, { recursive: true, force: true })
}
