import { join } from 'node:path'
import { isCached, pathOfCached } from './cache.ts'
import { type GoPrograms, goFolder, requiredVersion } from './go-build.ts'

const folder = join(import.meta.dirname, 'programs')
const KUBERNETES = 'k8s.io/kubernetes'
const CONTAINERD = 'github.com/containerd/containerd/v2'
const PROMETHEUS = 'github.com/prometheus/prometheus'

/** Everything that the tests build from Go modules. One go.mod has all but the oldest API server, so that shared packages are compiled once. */
export const GO_PROGRAMS = {
  kubernetes: {
    folder,
    module: KUBERNETES,
    programs: {
      'kube-apiserver': `${KUBERNETES}/cmd/kube-apiserver`,
      kubelet: `${KUBERNETES}/cmd/kubelet`,
      'kube-controller-manager': `${KUBERNETES}/cmd/kube-controller-manager`,
      'kube-scheduler': `${KUBERNETES}/cmd/kube-scheduler`,
      kubectl: `${KUBERNETES}/cmd/kubectl`,
      etcd: 'go.etcd.io/etcd/server/v3'
    }
  },
  'oldest-kubernetes': {
    folder: join(folder, 'oldest'),
    module: KUBERNETES,
    programs: { 'kube-apiserver': `${KUBERNETES}/cmd/kube-apiserver` }
  },
  containerd: {
    folder,
    module: CONTAINERD,
    programs: Object.fromEntries(
      ['containerd', 'containerd-shim-runc-v2', 'ctr'].map(name => [name, `${CONTAINERD}/cmd/${name}`])
    ),
    tags: 'no_btrfs no_zfs no_devmapper no_aufs'
  },
  runc: {
    folder,
    module: 'github.com/opencontainers/runc',
    programs: { runc: 'github.com/opencontainers/runc' },
    tags: 'seccomp',
    cgo: true
  },
  prometheus: {
    folder,
    module: PROMETHEUS,
    programs: { prometheus: `${PROMETHEUS}/cmd/prometheus`, promtool: `${PROMETHEUS}/cmd/promtool` },
    tags: 'remove_all_sd enable_kubernetes_sd'
  },
  helm: { folder, module: 'helm.sh/helm/v4', programs: { helm: 'helm.sh/helm/v4/cmd/helm' } },
  hcl2json: { folder, module: 'github.com/tmccombs/hcl2json', programs: { hcl2json: 'github.com/tmccombs/hcl2json' } }
} as const satisfies Readonly<Record<string, GoPrograms>>

/** Only for `npm run compare`, which builds it: the tests do without. */
export const NODE_FEATURE_DISCOVERY = {
  folder: join(folder, 'node-feature-discovery'),
  module: 'sigs.k8s.io/node-feature-discovery',
  programs: Object.fromEntries(
    ['nfd-worker', 'nfd-master'].map(name => [name, `sigs.k8s.io/node-feature-discovery/cmd/${name}`])
  ),
  tags: 'osusergo,netgo' // those of its Makefile
} as const satisfies GoPrograms

export type GoProgramSet = keyof typeof GO_PROGRAMS

/** The folder with the programs of a set. Throws `Error` while they are not built. */
export async function programFolder(set: GoProgramSet): Promise<string> {
  const cached = await goFolder(GO_PROGRAMS[set])
  if (await isCached(cached)) return pathOfCached(cached)
  throw new Error(`${cached.files.join(', ')} is not built: \`npm run test:prepare\` builds it, and so does \`npm test\``)
}

/** The Kubernetes releases that the tests run on: the newest runs all of them, the oldest those in `OLDEST_RELEASE_TESTS`. */
export type Release = 'newest' | 'oldest'

/** Files in `test/cluster` whose outcome depends on the API server's release: permissions, admission policy, labels, conditions, events. */
export const OLDEST_RELEASE_TESTS = ['agent', 'bad-install', 'doctor', 'guard', 'release', 'run-once', 'uninstall'] as const

/** `v1.37.2` */
export const kubernetesVersion = (release: Release): string =>
  requiredVersion(GO_PROGRAMS[release === 'oldest' ? 'oldest-kubernetes' : 'kubernetes'].folder, KUBERNETES)
