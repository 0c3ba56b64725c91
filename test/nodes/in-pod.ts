import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { ROOT } from '../../packaging/root.ts'
import { parseNode } from '../../src/facts/node-object.ts'
import { observe } from '../../src/facts/observe.ts'
import { HostError, type HostReader, NOT_MOUNTED } from '../../src/host/host.ts'
import { whyNotMounted } from '../../src/host/why-not-mounted.ts'
import { asUser } from './as-user.ts'
import { directory, type Machine, playedHost, type Tree } from './played.ts'

interface DaemonSet {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly name: string; readonly volumeMounts: readonly Mount[] }[] }
    }
  }
}
interface Mount {
  readonly mountPath: string
}

/** The node's paths that the agent's pod has mounted by this manifest. */
export function mountedBy(manifest: string): readonly string[] {
  const { spec } = load(readFileSync(join(ROOT, 'manifests', manifest), 'utf8')) as DaemonSet
  const agent = spec.template.spec.containers.find(({ name }) => name === 'agent')
  return (agent?.volumeMounts ?? []).flatMap(({ mountPath }) => /^\/host(\/.+)$/.exec(mountPath)?.[1] ?? [])
}

const isAt = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`)

/** The machine as the agent's pod sees it: as its user, and only what is mounted there; of /proc all but the processes. */
export async function inPod(machine: Machine, mounted: readonly string[]): Promise<{ machine: Machine; host: HostReader }> {
  const user = asUser(machine)
  const inside = { ...user, tree: { ...user.tree, ...(await ownFiles(machine)) } }
  const isSeen = (path: string): boolean =>
    mounted.some(place => isAt(path, place)) || /^\/proc\/(?!\d+(\/|$))./.test(path) || path === '/proc/self'
  const isOnTheWay = (path: string): boolean => path === '/proc' || mounted.some(place => isAt(place, path))
  const refuse = (path: string, goal: string): void => {
    if (isSeen(path) || (path !== goal && isOnTheWay(path))) return
    throw new HostError(goal, NOT_MOUNTED, { says: whyNotMounted(goal, '/host') })
  }
  return { machine: inside, host: playedHost(inside, refuse) }
}

const POD = 'pods/11111111-2222-4333-8444-555555555555'

/**
 * What every pod has: its token, which is a mount of the node, its /etc/hosts, which lies on the disk of the kubelet's root, and its
 * /etc/resolv.conf, which containerd and Docker keep below /var/lib.
 */
async function ownFiles({ node, ...machine }: Machine): Promise<Tree> {
  const { facts } = await observe(
    { host: playedHost({ ...machine, node }), node: node && parseNode(node), podSecurity: undefined },
    () => 0
  )
  const table = machine.tree['/proc/1/mountinfo']
  if (typeof table !== 'string' || !facts.storage.known) return {}
  const { path, device, type } = facts.storage.value
  const runtime = facts['var-lib'].known ? facts['var-lib'].value : facts.storage.value
  const resolv = join('/', '/var/lib/containerd/x/resolv.conf'.slice(runtime.mountPoint.replace(/\/$/, '').length))
  const kubelet = /kubelet$/.test(path) ? path : join(path, 'kubelet')
  return {
    '/proc/1': directory,
    '/proc/1/mountinfo': `${table}900 1 0:900 / ${kubelet}/${POD}/volumes/kubernetes.io~projected/token rw - tmpfs tmpfs rw\n`,
    '/proc/self/mountinfo': `90 80 0:90 / / ro - overlay overlay ro
91 90 0:91 / /proc rw - proc proc rw
92 90 0:92 / /sys ro - sysfs sysfs ro
93 90 0:92 / /host/sys ro - sysfs sysfs ro
94 90 ${device} /kubelet/${POD}/etc-hosts /etc/hosts rw - ${type} /dev/x rw
95 90 ${runtime.device} ${resolv} /etc/resolv.conf rw - ${runtime.type} /dev/x rw
`,
    '/proc/self/root/etc/hosts': '',
    '/proc/self/root/etc/resolv.conf': ''
  }
}
