import type { TestProject } from 'vitest/node'
import { buildBundle } from '../support/bundle.ts'
import { type Images, images } from './images.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    images: Images
  }
}

/** vitest's globalSetup: today's images must be there, and today's bundle, with which they are compared, is built. */
export default async function setup(project: TestProject): Promise<void> {
  const [archives] = await Promise.all([images(), buildBundle()])
  project.provide('images', archives)
}
