import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { controlPlaneBinaries } from './binaries.ts'

let assets: string

beforeEach(async () => {
  assets = await mkdtemp(join(tmpdir(), 'berth-assets-'))
  vi.stubEnv('KUBEBUILDER_ASSETS', assets)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(assets, { recursive: true })
})

test('takes the binaries from KUBEBUILDER_ASSETS', async () => {
  await writeFile(join(assets, 'etcd'), '', { mode: 0o755 })
  await writeFile(join(assets, 'kube-apiserver'), '', { mode: 0o755 })
  expect(await controlPlaneBinaries()).toEqual({ etcd: join(assets, 'etcd'), kubeApiserver: join(assets, 'kube-apiserver') })
})

test('names the binary that KUBEBUILDER_ASSETS lacks', async () => {
  await writeFile(join(assets, 'etcd'), '', { mode: 0o755 })
  const message = `KUBEBUILDER_ASSETS is ${assets}, but ${join(assets, 'kube-apiserver')} is missing or not executable`
  await expect(controlPlaneBinaries()).rejects.toThrow(message)
})
