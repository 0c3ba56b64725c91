import { expect, inject, test } from 'vitest'
import { succeeded } from '../support/cluster/api.ts'
import { kubernetesVersion } from '../support/go-programs.ts'
import { sharedControlPlane } from './shared.ts'

test('the API server is of the release that docs/testing.md says the tests ran on', async () => {
  const { gitVersion } = await succeeded('version', sharedControlPlane().api<{ gitVersion: string }>('GET', '/version'))
  expect(gitVersion).toBe(kubernetesVersion(inject('release')))
})
