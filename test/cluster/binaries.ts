import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { executable, type GoPrograms, goPrograms } from './go-programs.ts'

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
  const [goMod, goSum] = await Promise.all(['go.mod', 'go.sum'].map(name => readFile(join(here, name), 'utf8')))
  const etcd = versionOf('go.etcd.io/etcd/server/v3', goMod ?? '')
  const kubernetes = versionOf('k8s.io/kubernetes', goMod ?? '')
  const targets = [
    { name: 'etcd', module: 'go.etcd.io/etcd/server/v3', flags: '-s -w' },
    { name: 'kube-apiserver', module: 'k8s.io/kubernetes/cmd/kube-apiserver', flags: `-s -w ${stamps(kubernetes)}` }
  ]
  const hash = createHash('sha256')
    .update(JSON.stringify([goMod, goSum, targets]))
    .digest('hex')
    .slice(0, 12)
  return {
    module: here,
    key: `etcd-${etcd}_kubernetes-${kubernetes}_${process.arch}_${hash}`,
    programs: targets.map(({ name, module, flags }) => ({ name, package: module, flags })),
    about: `etcd ${etcd} and kube-apiserver ${kubernetes} (once; about 5 minutes on two cores)`,
    otherwise: ', or set KUBEBUILDER_ASSETS to a folder with the binaries'
  }
}

function versionOf(module: string, goMod: string): string {
  const line = goMod.split('\n').find(line => line.trim().startsWith(`${module} v`))
  const version = line?.trim().split(' ')[1]
  if (!version) throw new Error(`${join(here, 'go.mod')} requires no version of ${module}`)
  return version
}

/** Without its version kube-apiserver takes itself for v0.0.0 and refuses its own emulation version. */
function stamps(version: string): string {
  const [major, minor] = version.slice(1).split('.')
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ')
}
