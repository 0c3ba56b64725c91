import { copyFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { type CachedFolder, isCached, makeCached } from './cache.ts'
import type { Part } from './prepare.ts'

/**
 * Go modules with the definitions of kinds that Kubernetes itself does not know, and of the API of device plugins; each with its checksum
 * as in a go.sum.
 */
const MODULES = [
  {
    version: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    folder: 'example/prometheus-operator-crd',
    files: ['monitoring.coreos.com_podmonitors.yaml', 'monitoring.coreos.com_prometheusrules.yaml']
  },
  {
    version: 'github.com/aws/karpenter-provider-aws@v1.10.0',
    sum: 'h1:rSWjJOEjtz3VsSljyo1Kjq4R311AuroMLgI6nNAk9gs=',
    folder: 'pkg/apis/crds',
    files: ['karpenter.sh_nodepools.yaml', 'karpenter.sh_nodeoverlays.yaml', 'karpenter.k8s.aws_ec2nodeclasses.yaml']
  },
  {
    version: 'k8s.io/kubelet@v0.37.2',
    sum: 'h1:AaRApKAcqmMD4pxmsxdghJHbTNfOxYOIlPCARw8+01A=',
    folder: 'pkg/apis/deviceplugin/v1beta1',
    files: ['api.proto']
  }
] as const

/** Where the definitions lie. */
export const KIND_DEFINITIONS: CachedFolder = {
  name: `kinds/${MODULES.map(({ version }) => version.split('/').at(-1)).join('_')}`,
  files: MODULES.flatMap(({ files }) => files)
}

export const kindDefinitionsPart: Part = {
  does: 'downloading the kinds of the Prometheus operator and of Karpenter, and the API of device plugins',
  isReady: () => isCached(KIND_DEFINITIONS),
  make: () =>
    makeCached(KIND_DEFINITIONS, draft => Promise.all(MODULES.map(module => download(module, draft))).then(() => undefined)),
  wayOut: 'the Go module proxy must be reachable (`go env GOPROXY`)'
}

async function download({ version, sum, folder, files }: (typeof MODULES)[number], target: string): Promise<void> {
  // Outside of any module, so that no go.mod of ours is asked.
  const env = { GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'local' }
  const { stdout } = await execa('go', ['mod', 'download', '-json', version], { cwd: tmpdir(), env })
  const { Dir: directory, Sum: found } = JSON.parse(stdout) as { readonly Dir: string; readonly Sum: string }
  if (found !== sum) throw new Error(`${version} has the checksum ${found}, and not ${sum}`)
  for (const file of files) await copyFile(join(directory, folder, file), join(target, file))
}
