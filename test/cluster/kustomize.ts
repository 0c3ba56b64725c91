import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join, relative } from 'node:path'
import { execa } from 'execa'
import { loadAll } from 'js-yaml'
import { type Answer, succeeded } from '../support/cluster/api.ts'
import type { ControlPlaneClient } from '../support/cluster/control-plane.ts'
import { AGENT, BASE, type Manifest, pathOf } from '../support/cluster/manifests.ts'
import { programFolder } from '../support/go-programs.ts'

const MANIFESTS = join(BASE, '..')

/** All objects of the base with these components, as an operator's kustomization would have them. */
export const render = (...components: readonly string[]): Promise<readonly Manifest[]> => renderFrom('base', ...components)

/** All objects of a folder below manifests/, as `overlays/gke`, with these components: of ours by name, others by their whole path. */
export async function renderFrom(folder: string, ...components: readonly string[]): Promise<readonly Manifest[]> {
  const kubectl = join(await programFolder('kubernetes'), 'kubectl')
  const directory = await mkdtemp(join(tmpdir(), 'berth-kustomize-'))
  try {
    // It takes no absolute paths.
    const from = (path: string) => relative(directory, join(MANIFESTS, path))
    const component = (name: string) => (isAbsolute(name) ? relative(directory, name) : from(`components/${name}`))
    const wanted = { resources: [from(folder)], components: components.map(component) }
    await writeFile(join(directory, 'kustomization.yaml'), JSON.stringify(wanted))
    const { stdout } = await execa(kubectl, ['kustomize', directory])
    return loadAll(stdout) as Manifest[]
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** The API server takes all of it, every field by its name; a dry run, so that nothing stays. */
export async function dryRun(client: ControlPlaneClient, manifests: readonly Manifest[]): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: AGENT.namespace } }
  // A dry run makes no namespace for what comes after it.
  const made: Answer<unknown> = await client.api('POST', '/api/v1/namespaces', namespace)
  if (made.status !== 409) await succeeded('create the namespace', Promise.resolve(made))
  for (const manifest of manifests) {
    const path = `${pathOf(manifest)}?dryRun=All&fieldManager=installer&force=true&fieldValidation=Strict`
    const what = `apply ${manifest.kind} ${manifest.metadata.name}`
    await succeeded(what, client.api('PATCH', path, manifest, 'application/apply-patch+yaml'))
  }
}
