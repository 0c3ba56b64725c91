import type { TestProject } from 'vitest/node'
import { buildBundle } from '../support/bundle.ts'
import { type ControlPlaneAddress, startControlPlane } from '../support/cluster/control-plane.ts'
import type { Release } from '../support/go-programs.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: ControlPlaneAddress
    /** Of Kubernetes, for control planes of a test's own. */
    release: Release
  }
}

/**
 * One control plane for all test files of a project, which `sharedControlPlane` reaches from each, and today's bundle, which is what
 * agents are started from.
 */
export async function share(project: TestProject, release: Release): Promise<() => Promise<void>> {
  const [controlPlane] = await Promise.all([startControlPlane({ release }), buildBundle()])
  const { url, caFile, ca, kubeconfig, directory, auditLog } = controlPlane
  project.provide('controlPlane', { url, caFile, ca, kubeconfig, directory, auditLog, release })
  project.provide('release', release)
  return controlPlane.close
}

/** vitest's globalSetup of the project `cluster`. */
export default (project: TestProject) => share(project, 'newest')
