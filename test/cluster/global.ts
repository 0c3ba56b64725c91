import { join } from 'node:path'
import { execa } from 'execa'
import type { TestProject } from 'vitest/node'
import { ROOT } from '../../scripts/steps.ts'
import { type ControlPlaneAddress, startControlPlane } from './control-plane.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: ControlPlaneAddress
  }
}

/**
 * vitest's globalSetup: one control plane for all test files of the project, which `sharedControlPlane` reaches from each, and today's
 * bundle, which is what agents are started from.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const build = execa(process.execPath, [join(ROOT, 'scripts/build.ts')])
  const [controlPlane] = await Promise.all([startControlPlane(), build])
  const { url, caFile, ca, kubeconfig, directory, auditLog } = controlPlane
  project.provide('controlPlane', { url, caFile, ca, kubeconfig, directory, auditLog })
  return controlPlane.close
}
