import type { HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { Unsure } from './fact.ts'
import { type Mount, nodeMounts } from './mounts.ts'

/** Default root directories: of the kubelet, of microk8s, of k0s. */
const KNOWN = ['/var/lib/kubelet', '/var/snap/microk8s/common/var/lib/kubelet', '/var/lib/k0s/kubelet'] as const

/**
 * The kubelet's root directory on the node: `wanted` from `--kubelet-root` if set; else the directory whose mounts are projected volumes of
 * pods (the agent's own token is always one); else the first of the default directories with pods. A directory alone proves nothing: charts
 * of CSI drivers create /var/lib/kubelet on nodes whose kubelet has another root. Throws `Unsure` if two directories have as many pods.
 */
export async function kubeletRoot(host: HostReader, wanted: string): Promise<string> {
  if (wanted !== '') return wanted
  return rootByMounts(await nodeMounts(host)) ?? (await rootByDirectories(host))
}

/** /var/lib/kubelet/pods/UID/volumes/kubernetes.io~projected/NAME */
const PROJECTED = /^(\/.*)\/pods\/[^/]+\/volumes\/kubernetes\.io~projected\/[^/]+$/

export function rootByMounts(mounts: readonly Mount[]): string | undefined {
  const roots = mounts.flatMap(({ mountPoint }) => PROJECTED.exec(mountPoint)?.[1] ?? [])
  const counts = [...new Set(roots)]
    .map(root => ({ root, pods: roots.filter(each => each === root).length }))
    .toSorted((a, b) => b.pods - a.pods)
  const [first, second] = counts
  if (first === undefined) return undefined
  if (first.pods === second?.pods)
    throw new Unsure(`${first.root} and ${second.root} both hold volumes of pods; set the kubelet's root with --kubelet-root`)
  return first.root
}

async function rootByDirectories(host: HostReader): Promise<string> {
  const existing: string[] = []
  for (const path of KNOWN) {
    if ((await host.stat(path)) === undefined) continue
    existing.push(path)
    // Often only root can list it; a directory that cannot be listed may hold pods.
    const pods = await attempt(() => host.list(`${path}/pods`))
    if (pods.ok ? (pods.value ?? []).length > 0 : true) return path
  }
  return existing[0] ?? KNOWN[0]
}
