import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { KEEPS_HISTORY } from '../cluster/agent-truth.ts'
import { succeeded } from '../support/cluster/api.ts'
import { type ControlPlane, startControlPlane } from '../support/cluster/control-plane.ts'
import { issueClient } from '../support/cluster/keys.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { launch, type RunningProcess, untilReady } from '../support/cluster/processes.ts'
import { killAll } from '../support/cluster/site.ts'
import { programFolder } from '../support/go-programs.ts'
import { ownFolder } from '../support/own-folder.ts'
import { containerdConfig, egressConfig, kubeletConfig, NETWORK } from './configs.ts'
import { SMALL, writeImage } from './image.ts'
import type { Images } from './images.ts'
import { relay } from './relay.ts'

/** The Node's name. */
export const NODE_NAME = 'node'

export interface NodeOptions {
  /** What its pods can be made of, besides small ones of our own. */
  readonly images: Images
  /** Taints that the kubelet registers its Node with. */
  readonly taints?: readonly { readonly key: string; readonly effect: string; readonly value?: string }[]
  /** What the node shows in place of its own files: path to the text of a file. */
  readonly cover?: Readonly<Record<string, string>>
}

/** A real node: kubelet and containerd, with a control plane of its own that has a scheduler and controllers too. */
export interface RealNode extends AsyncDisposable {
  readonly plane: ControlPlane
  /** Runs a program among the node's processes and mounts, as root there; resolves to what it printed, rejects for its status. */
  readonly run: (argv: readonly [string, ...string[]]) => Promise<string>
  /** Stands before a command of this machine that is to be in the node's network, and ends when its process does. */
  readonly inNetwork: readonly [string, ...string[]]
  /** Has a path that is covered say something else from now on. */
  readonly play: (path: string, text: string) => Promise<void>
  /** With kubelet.log, containerd.log and the others. */
  readonly folder: string
}

/** Resolves when the Node is ready and pods can be made; about 6 s. */
export async function startNode({ images, taints = [], cover = {} }: NodeOptions): Promise<RealNode> {
  const kubernetes = await programFolder('kubernetes')
  const runtime = [await programFolder('containerd'), await programFolder('runc')]
  const folder = await ownFolder(tmpdir(), 'berth-node-')
  const egress = join(folder, 'egress.json')
  await writeFile(egress, JSON.stringify(egressConfig(join(folder, 'gate.sock'))))
  const plane = await startControlPlane({
    apiServerFlags: keys => [
      ...KEEPS_HISTORY,
      ...['--egress-selector-config-file', egress, '--kubelet-preferred-address-types', 'InternalIP'],
      ...['--kubelet-client-certificate', join(keys, 'admin.crt'), '--kubelet-client-key', join(keys, 'admin.key')]
    ]
  })
  const running: RunningProcess[] = []
  const relaying = relay({ path: join(folder, 'api.sock') }, { host: '127.0.0.1', port: Number(new URL(plane.url).port) })
  const script = join(import.meta.dirname, 'node.sh')
  const close = async (): Promise<void> => {
    await killAll(running)
    relaying.close()
    await plane.close()
    await execa('bash', [script, 'clean', folder])
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await prepare({ folder, plane, images, taints, cover })
    const log = (name: string) => join(folder, `${name}.log`)
    const keys = join(plane.directory, 'sa.key')
    const controllers = ['--service-account-private-key-file', keys, '--root-ca-file', plane.caFile, '--leader-elect=false']
    const many = [
      '--kube-api-qps',
      '300',
      '--kube-api-burst',
      '600',
      '--secure-port',
      '0',
      '--flex-volume-plugin-dir',
      join(folder, 'flex')
    ]
    const manager = join(kubernetes, 'kube-controller-manager')
    running.push(
      await launch([manager, '--kubeconfig', plane.kubeconfig, ...controllers, ...many], log('kube-controller-manager'))
    )
    const scheduler = join(kubernetes, 'kube-scheduler')
    running.push(
      await launch(
        [scheduler, '--kubeconfig', plane.kubeconfig, '--leader-elect=false', '--secure-port', '0'],
        log('kube-scheduler')
      )
    )
    const path = [...runtime, kubernetes, process.env['PATH']].join(':')
    const node = await launch(['env', `PATH=${path}`, `NODE=${process.execPath}`, 'bash', script, 'up', folder], log('node'))
    running.push(node)
    await untilReady(node, () => isReady(plane))
    const first = await untilChild(node.pid)
    const all = ['--user', '--mount', '--net', '--pid', '--uts', '--ipc', '--cgroup']
    const run: RealNode['run'] = async argv => (await execa('nsenter', ['-t', `${first}`, ...all, '--', ...argv])).stdout
    const inNetwork: RealNode['inNetwork'] = ['nsenter', '-t', `${first}`, '--net', '--']
    const play = (path: string, text: string) => writeFile(coverFile(folder, Object.keys(cover).indexOf(path)), text)
    return { plane, run, inNetwork, play, folder, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Parts extends Required<NodeOptions> {
  readonly folder: string
  readonly plane: ControlPlane
}

async function prepare({ folder, plane, images, taints, cover }: Parts): Promise<void> {
  const at = (...names: readonly string[]) => join(folder, ...names)
  for (const name of ['images', 'cni', 'cover.d', 'kubelet-keys']) await mkdir(at(name))
  await Promise.all(Object.entries(SMALL).map(([name, image]) => writeImage(image, at('images', `${name}.tar`))))
  for (const [name, archive] of Object.entries(images.archives)) await symlink(archive, at('images', `${name}.tar`))
  await writeFile(at('containerd.toml'), containerdConfig(folder))
  await writeFile(at('kubelet.json'), JSON.stringify(kubeletConfig(folder, plane.caFile, taints)))
  await writeFile(at('cni/10-pods.conflist'), JSON.stringify(NETWORK))
  await writeFile(at('resolv.conf'), 'nameserver 127.0.0.1\n')
  await issueClient(plane.directory, 'kubelet', `/O=system:nodes/CN=system:node:${NODE_NAME}`)
  const kubeconfig = await writeKubeconfig(folder, {
    cluster: { server: 'https://10.0.0.1:443', 'certificate-authority': plane.caFile },
    user: { 'client-certificate': join(plane.directory, 'kubelet.crt'), 'client-key': join(plane.directory, 'kubelet.key') }
  })
  await execa('mv', [kubeconfig, at('kubelet.kubeconfig')])
  const covers = await Promise.all(
    Object.entries(cover).map(async ([path, text], index) => {
      await writeFile(coverFile(folder, index), text)
      return `${path}\t${coverFile(folder, index)}\n`
    })
  )
  await writeFile(at('cover'), covers.join(''))
}

const coverFile = (folder: string, index: number): string => join(folder, 'cover.d', `${index}`)

interface NodeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

async function isReady({ api }: ControlPlane): Promise<boolean> {
  const node = await succeeded('the Node', api<NodeObject>('GET', `/api/v1/nodes/${NODE_NAME}`))
  const account = await api('GET', '/api/v1/namespaces/default/serviceaccounts/default')
  return account.status === 200 && node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
}

/** The first process inside: unshare stays outside and waits for it. */
async function untilChild(pid: number): Promise<number> {
  const { stdout } = await execa('pgrep', ['-P', `${pid}`, '-f', 'node.sh inside'])
  return Number(stdout.split('\n')[0])
}
