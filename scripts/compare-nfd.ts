import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { pathOfCached } from '../test/support/cache.ts'
import { eventually } from '../test/support/cluster/agent-process.ts'
import { apiOf, succeeded } from '../test/support/cluster/api.ts'
import type { ControlPlane } from '../test/support/cluster/control-plane.ts'
import { writeKubeconfig } from '../test/support/cluster/kubeconfigs.ts'
import { holdFreePort } from '../test/support/cluster/ports.ts'
import { goFolder, goPart, requiredVersion } from '../test/support/go-build.ts'
import { NODE_FEATURE_DISCOVERY as NFD, programFolder } from '../test/support/go-programs.ts'
import { prepare } from '../test/support/prepare.ts'
import type { Agent, Program } from './compare-agent.ts'

const NAMESPACE = 'node-feature-discovery'
const FEATURES = `/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/${NAMESPACE}/nodefeatures`
const PROGRAMS = ['nfd-worker', 'nfd-master'] as const

/** Worker and master of Node Feature Discovery, built from its Go module, with the objects and the defaults of its own deployment. */
export async function nodeFeatureDiscovery(plane: ControlPlane): Promise<Agent> {
  const print = (line: string) => void process.stderr.write(`${line}\n`)
  await prepare([await goPart(NFD)], { print, elapsed: () => performance.now() })
  const folder = pathOfCached(await goFolder(NFD))
  await install(plane)
  return {
    title: `Node Feature Discovery ${requiredVersion(NFD.folder, NFD.module)}`,
    prefix: 'feature.node.kubernetes.io/',
    user: `system:serviceaccount:${NAMESPACE}:`,
    programs: async (node, server) => {
      const [worker, master] = await Promise.all(PROGRAMS.map(name => program(plane, folder, { name, node, server })))
      return [
        { ...(worker as Program), runs: 'node' },
        { ...(master as Program), runs: 'cluster' }
      ]
    },
    clean: async () => void (await succeeded('delete NodeFeatures', plane.api('DELETE', FEATURES))),
    sizes: async () => Object.fromEntries(await Promise.all(PROGRAMS.map(async name => [name, await sizeOf(folder, name)])))
  }
}

const sizeOf = async (folder: string, name: string): Promise<number> => (await stat(join(folder, name))).size

/** The default overlay of its module. Nothing runs its pods here: only the definitions, the accounts and their rights count. */
async function install(plane: ControlPlane): Promise<void> {
  const download = ['mod', 'download', '-json', NFD.module]
  const { stdout } = await execa('go', download, { cwd: NFD.folder, env: { GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'local' } })
  const { Dir: source } = JSON.parse(stdout) as { readonly Dir: string }
  const kubectl = join(await programFolder('kubernetes'), 'kubectl')
  const args = ['--kubeconfig', plane.kubeconfig]
  await execa(kubectl, [...args, 'apply', '--server-side', '-k', join(source, 'deployment/overlays/default')])
  await execa(kubectl, [...args, 'wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all'])
}

interface Wish {
  readonly name: (typeof PROGRAMS)[number]
  readonly node: string
  readonly server: string
}

/** As a pod of its own on that Node, with the variables of its manifest. Waits until its rights are in force. */
async function program(plane: ControlPlane, folder: string, { name, node, server }: Wish): Promise<Omit<Program, 'runs'>> {
  const token = await plane.tokenFor({ namespace: NAMESPACE, serviceAccount: name, nodeName: node })
  const own = apiOf(plane, { token })
  await eventually(`${name} may read NodeFeatures`, async () => (await own('GET', `${FEATURES}/none`)).status === 404)
  const cluster = { server, 'certificate-authority': plane.caFile }
  const kubeconfig = await writeKubeconfig(plane.directory, { cluster, user: { token } })
  const pod = `${name}-on-${node}` // which tokenFor has made
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod}`
  const { metadata } = await succeeded(`read ${pod}`, plane.api<{ readonly metadata: { readonly uid: string } }>('GET', path))
  const environment = { NODE_NAME: node, POD_NAME: pod, POD_UID: metadata.uid, KUBERNETES_NAMESPACE: NAMESPACE }
  // Both listen on 8080 by default, each in a network of its own.
  const held = await holdFreePort()
  await held.release()
  return { name, environment, argv: [join(folder, name), '-kubeconfig', kubeconfig, '-port', `${held.port}`] }
}
