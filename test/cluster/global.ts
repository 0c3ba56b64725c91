import type { TestProject } from 'vitest/node'
import { type ControlPlaneAddress, startControlPlane } from './control-plane.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    controlPlane: ControlPlaneAddress
  }
}

/** vitest's globalSetup: one control plane for all test files of the project; `sharedControlPlane` reaches it from each. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane()
  const { url, caFile, ca, kubeconfig, directory, auditLog } = controlPlane
  project.provide('controlPlane', { url, caFile, ca, kubeconfig, directory, auditLog })
  return controlPlane.close
}
