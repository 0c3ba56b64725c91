import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { pathOfCached } from '../support/cache.ts'
import { eventually } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import type { ControlPlaneClient } from '../support/cluster/control-plane.ts'
import { type Manifest, pathOf } from '../support/cluster/manifests.ts'
import { KIND_DEFINITIONS } from '../support/kind-definitions.ts'

/** Makes PodMonitor, PrometheusRule, NodePool, NodeOverlay and EC2NodeClass known to the API server, and resolves when it serves them. */
export async function installKinds(client: ControlPlaneClient): Promise<void> {
  for (const file of KIND_DEFINITIONS.files.filter(name => name.endsWith('.yaml'))) {
    const definition = load(await readFile(join(pathOfCached(KIND_DEFINITIONS), file), 'utf8')) as Manifest
    const path = `${pathOf(definition)}?fieldManager=installer&force=true`
    const what = `define ${definition.metadata.name}`
    await succeeded(what, client.api('PATCH', path, definition, 'application/apply-patch+yaml'))
    const { group, versions, names } = definition['spec'] as Spec
    const collection = `/apis/${group}/${versions[0]?.name}/${names.plural}?limit=1`
    await eventually(`${what} is served`, async () => (await client.api('GET', collection)).status === 200)
  }
}

interface Spec {
  readonly group: string
  readonly versions: readonly { readonly name: string }[]
  readonly names: { readonly plural: string }
}
