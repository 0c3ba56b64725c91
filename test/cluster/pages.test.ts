import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { load, loadAll } from 'js-yaml'
import { beforeAll, describe, expect, test } from 'vitest'
import { succeeded } from '../support/cluster/api.ts'
import { BASE, type Manifest, pathOf } from '../support/cluster/manifests.ts'
import { programFolder } from '../support/go-programs.ts'
import { blocksOf, readPage } from '../support/page-commands.ts'
import { pages } from '../support/pages.ts'
import { installKinds } from './kinds.ts'
import { dryRun } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const NAMESPACE = 'pages'

const yaml = pages().flatMap(page =>
  blocksOf(readPage(page))
    .filter(({ language }) => language === 'yaml')
    .map(({ block }) => ({ page, block, object: load(block) as Partial<Manifest> }))
)
const kustomizations = yaml.filter(({ object }) => 'components' in object)
const objects = yaml.filter(({ object }) => 'kind' in object)

beforeAll(async () => {
  await installKinds(shared)
  for (const [kind, name] of [
    ['Namespace', NAMESPACE],
    ['ServiceAccount', 'default']
  ] as const) {
    const within = kind === 'Namespace' ? {} : { namespace: NAMESPACE }
    const object: Manifest = { apiVersion: 'v1', kind, metadata: { name, ...within } }
    const path = `${pathOf(object)}?fieldManager=installer&force=true`
    await succeeded(`apply ${kind}`, shared.api('PATCH', path, object, 'application/apply-patch+yaml'))
  }
})

test('every YAML block of the pages is a kustomization or an object', () => {
  expect(yaml.length).toBeGreaterThan(3)
  expect(kustomizations.length + objects.length).toBe(yaml.length)
})

describe.each(kustomizations)('the kustomization on $page', ({ block }) => {
  test('builds where it says that it lies, and the API server takes every field of it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-pages-'))
    try {
      await cp(join(BASE, '..'), join(directory, 'manifests'), { recursive: true })
      const folder = join(directory, 'manifests/NAME')
      await mkdir(folder)
      await writeFile(join(folder, 'kustomization.yaml'), block)
      const kubectl = join(await programFolder('kubernetes'), 'kubectl')
      const { stdout } = await execa(kubectl, ['kustomize', folder])
      const built = loadAll(stdout) as Manifest[]
      expect(built.map(({ kind }) => kind)).toContain('DaemonSet')
      await dryRun(
        shared,
        built.filter(({ kind }) => kind !== 'SecurityContextConstraints')
      )
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

test.each(objects)('the API server takes every field of the object on $page', async ({ object }) => {
  const manifest = { ...object, metadata: { ...object.metadata, namespace: NAMESPACE } } as Manifest
  const path = `${pathOf(manifest)}?fieldManager=installer&force=true&fieldValidation=Strict&dryRun=All`
  await succeeded('apply it', shared.api('PATCH', path, manifest, 'application/apply-patch+yaml'))
})
