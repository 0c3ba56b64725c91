import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { load } from 'js-yaml'
import { eventually } from './agent-process.ts'
import { succeeded } from './api.ts'
import type { ControlPlaneClient } from './control-plane.ts'
import { type Manifest, pathOf } from './manifests.ts'

/** Go modules with the definitions of kinds that Kubernetes itself does not know, each with its checksum as in a go.sum. */
const MODULES = [
  {
    version: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    folder: 'example/prometheus-operator-crd',
    files: ['monitoring.coreos.com_podmonitors.yaml', 'monitoring.coreos.com_prometheusrules.yaml']
  },
  {
    version: 'sigs.k8s.io/karpenter@v1.10.0',
    sum: 'h1:F8cupDXyn5c7TQDgTSj86nPmUJxFaV0wxu5HIdp+TJc=',
    folder: 'pkg/apis/crds',
    files: ['karpenter.sh_nodepools.yaml']
  }
] as const

/** Makes PodMonitor, PrometheusRule and NodePool known to the API server, and resolves when it serves them. */
export async function installKinds(client: ControlPlaneClient): Promise<void> {
  const definitions = await Promise.all(MODULES.map(readDefinitions))
  for (const definition of definitions.flat()) {
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

async function readDefinitions({ version, sum, folder, files }: (typeof MODULES)[number]): Promise<readonly Manifest[]> {
  // Into Go's own cache, from which it is read at the next time; outside of any module, so that no go.mod of ours is asked.
  const env = { GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'local' }
  const { stdout } = await execa('go', ['mod', 'download', '-json', version], { cwd: tmpdir(), env })
  const { Dir: directory, Sum: found } = JSON.parse(stdout) as { readonly Dir: string; readonly Sum: string }
  if (found !== sum) throw new Error(`${version} has the checksum ${found}, and not ${sum}`)
  return Promise.all(files.map(async file => load(await readFile(join(directory, folder, file), 'utf8')) as Manifest))
}
