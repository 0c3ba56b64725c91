import { join } from 'node:path'
import { type GoProgram, goPrograms, kubernetesFlags, readPins, readRecipe } from '../cluster/go-programs.ts'

export interface NodePrograms {
  /** The folder with kubelet, kube-controller-manager, kube-scheduler and kubectl. */
  readonly kubernetes: string
  /** The folder with containerd, its shim, ctr and runc. */
  readonly runtime: string
}

/** Prometheus with the discovery of Kubernetes, which Debian's is built without. From the user's cache folder; the first call builds it. */
export async function prometheusProgram(): Promise<string> {
  const path = 'github.com/prometheus/prometheus'
  const recipe = await readRecipe({
    folder: join(import.meta.dirname, 'prometheus'),
    name: 'prometheus',
    module: path,
    package: `${path}/cmd/prometheus`,
    tags: 'remove_all_sd,enable_kubernetes_sd'
  })
  return join(await goPrograms(recipe), 'prometheus')
}

/** From the user's cache folder; the first call builds them. */
export async function nodePrograms(): Promise<NodePrograms> {
  return { kubernetes: await kubernetesPrograms(), runtime: await runtimePrograms() }
}

async function kubernetesPrograms(): Promise<string> {
  const module = join(import.meta.dirname, 'kubernetes')
  const { versionOf, hash } = await readPins(module)
  const version = versionOf('k8s.io/kubernetes')
  const programs = ['kubelet', 'kube-controller-manager', 'kube-scheduler', 'kubectl'].map(name => ({
    name,
    package: `k8s.io/kubernetes/cmd/${name}`,
    flags: kubernetesFlags(version)
  }))
  const key = `kubelet-${version}_${process.arch}_${hash(programs)}`
  const about = `kubelet, kube-controller-manager, kube-scheduler and kubectl ${version} (once; about 5 minutes on two cores)`
  return await goPrograms({ module, key, programs, about, otherwise: '' })
}

async function runtimePrograms(): Promise<string> {
  const module = join(import.meta.dirname, 'runtime')
  const { versionOf, hash } = await readPins(module)
  const versions = {
    containerd: versionOf('github.com/containerd/containerd/v2'),
    runc: versionOf('github.com/opencontainers/runc')
  }
  const tags = 'no_btrfs no_zfs no_devmapper no_aufs'
  const programs: readonly GoProgram[] = [
    ...['containerd', 'containerd-shim-runc-v2', 'ctr'].map(name => ({
      ...{ name, tags, flags: '-s -w' },
      package: `github.com/containerd/containerd/v2/cmd/${name}`
    })),
    { name: 'runc', package: 'github.com/opencontainers/runc', flags: '-s -w', tags: 'seccomp', cgo: true }
  ]
  const key = `containerd-${versions.containerd}_runc-${versions.runc}_${process.arch}_${hash(programs)}`
  const about = `containerd ${versions.containerd} and runc ${versions.runc} (once; about 2 minutes on two cores)`
  return await goPrograms({ module, key, programs, about, otherwise: '' })
}
