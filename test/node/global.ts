import type { TestProject } from 'vitest/node'
import { type Images, images } from './images.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    images: Images
  }
}

/** vitest's globalSetup: today's images. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide('images', await images())
}
