import { join } from 'node:path'
import { executable, type GoPrograms, goPrograms, kubernetesFlags, readPins } from './go-programs.ts'

export interface Binaries {
  readonly etcd: string
  readonly kubeApiserver: string
}

const here = import.meta.dirname

/**
 * Where etcd and kube-apiserver lie: in `KUBEBUILDER_ASSETS` when that is set, else in the user's cache folder,
 * where the first call builds them from the Go modules that `go.mod` beside this file pins.
 */
export async function controlPlaneBinaries(): Promise<Binaries> {
  const assets = process.env['KUBEBUILDER_ASSETS']
  return assets ? provided(assets) : binariesIn(await goPrograms(await readRecipe()))
}

function binariesIn(directory: string): Binaries {
  return { etcd: join(directory, 'etcd'), kubeApiserver: join(directory, 'kube-apiserver') }
}

async function provided(directory: string): Promise<Binaries> {
  const binaries = binariesIn(directory)
  for (const path of Object.values(binaries)) {
    if (await executable(path)) continue
    throw new Error(
      `KUBEBUILDER_ASSETS is ${directory}, but ${path} is missing or not executable; unset it to have the tests build their own`
    )
  }
  return binaries
}

/** The key changes with every module version, every flag and the architecture: a cached folder never needs a second look. */
async function readRecipe(): Promise<GoPrograms> {
  const { versionOf, hash } = await readPins(here)
  const etcd = versionOf('go.etcd.io/etcd/server/v3')
  const kubernetes = versionOf('k8s.io/kubernetes')
  const targets = [
    { name: 'etcd', module: 'go.etcd.io/etcd/server/v3', flags: '-s -w' },
    { name: 'kube-apiserver', module: 'k8s.io/kubernetes/cmd/kube-apiserver', flags: kubernetesFlags(kubernetes) }
  ]
  return {
    module: here,
    key: `etcd-${etcd}_kubernetes-${kubernetes}_${process.arch}_${hash(targets)}`,
    programs: targets.map(({ name, module, flags }) => ({ name, package: module, flags })),
    about: `etcd ${etcd} and kube-apiserver ${kubernetes} (once; about 5 minutes on two cores)`,
    otherwise: ', or set KUBEBUILDER_ASSETS to a folder with the binaries'
  }
}
