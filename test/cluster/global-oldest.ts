import type { TestProject } from 'vitest/node'
import { share } from './global.ts'

/** vitest's globalSetup of the project `oldest`. */
export default (project: TestProject) => share(project, 'oldest')
