import { inject } from 'vitest'
import { type ControlPlaneClient, clientOf } from '../support/cluster/control-plane.ts'
import type {} from './global.ts' // declares what `inject` knows

/**
 * The control plane that all test files share. It cannot be stopped from here: who needs that starts one of their own.
 * Other files' objects are in it too, so give yours names of their own.
 */
export function sharedControlPlane(): ControlPlaneClient {
  const address = inject('controlPlane')
  if (!address)
    throw new Error('no shared control plane: the vitest project of this file lacks globalSetup: test/cluster/global.ts')
  return clientOf(address)
}
