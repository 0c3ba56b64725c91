import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ControlPlane } from '../test/support/cluster/control-plane.ts'
import { AGENT, applyManifests } from '../test/support/cluster/manifests.ts'
import { agentKubeconfig, imageFlags, warm } from './bench-process.ts'
import type { Agent } from './compare-agent.ts'
import { ROOT } from './steps.ts'

const BUNDLE = join(ROOT, 'dist/berth.mjs')

/** The agent of `manifests/base` from the bundle, with the flags of the image and its compile cache. */
export async function berth(plane: ControlPlane): Promise<Agent> {
  await applyManifests(plane)
  const environment = { NODE_COMPILE_CACHE: join(plane.directory, 'compile-cache') }
  await warm(BUNDLE, environment)
  return {
    title: 'berth',
    prefix: 'berth.dev/',
    user: `system:serviceaccount:${AGENT.namespace}:${AGENT.serviceAccount}`,
    programs: async (node, server) => {
      const options = ['--kubeconfig', await agentKubeconfig(plane, node, server), '--listen', '127.0.0.1:0']
      const argv = [process.execPath, ...imageFlags(), BUNDLE, 'run', ...options] as const
      return [{ name: 'agent', runs: 'node', environment: { ...environment, NODE_NAME: node }, argv }]
    },
    clean: async () => undefined,
    sizes: async () => ({ 'Node.js': (await stat(process.execPath)).size, 'berth.mjs': (await stat(BUNDLE)).size })
  }
}
