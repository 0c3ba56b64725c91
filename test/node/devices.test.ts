import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, inject, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'
import { render } from '../cluster/kustomize.ts'
import { eventually, nodeOf } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import type { ControlPlane } from '../support/cluster/control-plane.ts'
import { applyAll } from '../support/cluster/manifests.ts'
import { NODE_NAME, type RealNode, startNode } from './node.ts'
import { PODS, type Pod, podOf } from './pods.ts'

const allocatable = async ({ plane }: RealNode, resource: string): Promise<string | undefined> =>
  ((await nodeOf(plane, NODE_NAME).read()).status['allocatable'] as Readonly<Record<string, string>>)[resource]

const isOffered = (node: RealNode, resource: string, amount: string): Promise<unknown> =>
  eventually(`${amount} of ${resource} are offered`, async () => (await allocatable(node, resource)) === amount)

/** Mounts an overlay in a user namespace of its own through /dev/fuse, reads from it, writes to it, and unmounts it. */
const MOUNT = `unshare -Urm sh -ec '
  cd "$(mktemp -d)"; mkdir lower upper work merged; echo below >lower/file
  fuse-overlayfs -o lowerdir=lower,upperdir=upper,workdir=work merged
  [ "$(cat merged/file)" = below ]; echo above >merged/file; umount merged; [ "$(cat upper/file)" = above ]'`
const FOR_EVER = `while ${MOUNT}; do sleep 0.5; done; exit 1`

/** A pod of an ordinary user that requests a device. */
const fusePod = (name: string, script: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    ...{ restartPolicy: 'Never', terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, ...more },
    securityContext: { runAsUser: 1000, runAsGroup: 1000 },
    containers: [
      {
        ...{ name: 'main', image: 'localhost/fuse:1', imagePullPolicy: 'Never', command: ['sh', '-c', script] },
        resources: { limits: { 'berth.dev/fuse': '1' } },
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }]
      }
    ],
    volumes: [{ name: 'tmp', emptyDir: {} }]
  }
})

const create = ({ plane }: RealNode, pod: ReturnType<typeof fusePod>) =>
  succeeded(pod.metadata.name, plane.api('POST', PODS, pod))

const reaches = ({ plane }: RealNode, name: string, phase: string) =>
  eventually(
    `${name} is ${phase}`,
    async () => {
      const { status } = await podOf(plane, name)
      return status.phase === phase || Promise.reject(new Error(JSON.stringify(status)))
    },
    120_000
  )

const pods = async ({ api }: ControlPlane): Promise<readonly (Pod & { readonly status: { readonly reason?: string } })[]> =>
  (await succeeded('pods', api<{ items: readonly Pod[] }>('GET', PODS))).items

/** Kills it as nothing can be prepared for; what restarts it is up to the node. */
async function kill({ run }: RealNode, ...pattern: readonly string[]): Promise<void> {
  const pids = (await run(['pgrep', ...pattern])).split('\n')
  await run(['kill', '-9', ...pids])
}

/** How often the plugin of the DaemonSet has registered, by its log. */
const registrations = async ({ run }: RealNode): Promise<number> =>
  Number(await run(['sh', '-c', 'cat /var/log/pods/berth_berth-*/devices/*.log | grep -c device-offered; true']))

const PLUGIN = ['-f', 'lib/berth/devices.mjs'] as const

test('pods get /dev/fuse of the component, and keep it whatever is killed', async () => {
  await using node = await startNode({ images: inject('images') })
  const { plane, folder } = node
  await applyAll(plane, await render('devices'))
  await isOffered(node, 'berth.dev/fuse', '256')
  await nodeOf(plane, NODE_NAME).isLabelled({ 'berth.dev/podman': 'true' })

  // A device that others may not open, and is theirs again. Pods of this node, which is in a user namespace, have the very same device node.
  chmodSync(join(folder, 'fuse'), 0o600)
  await isOffered(node, 'berth.dev/fuse', '0')
  chmodSync(join(folder, 'fuse'), 0o666)
  await isOffered(node, 'berth.dev/fuse', '256')

  await create(node, fusePod('ordinary', MOUNT))
  await create(node, fusePod('own-users', MOUNT, { hostUsers: false }))
  await create(node, fusePod('keeper', FOR_EVER))
  await create(node, fusePod('keeper-own-users', FOR_EVER, { hostUsers: false }))
  for (const name of ['ordinary', 'own-users']) await reaches(node, name, 'Succeeded')
  const keepers = ['keeper', 'keeper-own-users']
  for (const name of keepers) await reaches(node, name, 'Running')

  // Until it is back, the kubelet rejects new pods that request the device; nobody can help that.
  const before = await registrations(node)
  await kill(node, ...PLUGIN)
  await eventually('the plugin has registered again', async () => (await registrations(node)) > before)
  await create(node, fusePod('after-plugin', MOUNT))
  await reaches(node, 'after-plugin', 'Succeeded')

  // A kubelet that comes back admits pods at once: the plugin has to be there before it does.
  for (const round of [1, 2, 3]) {
    await kill(node, '-x', 'kubelet')
    await create(node, fusePod(`after-${round}`, MOUNT))
    await reaches(node, `after-${round}`, 'Succeeded')
  }
  await Promise.all([kill(node, '-x', 'kubelet'), kill(node, '-x', 'containerd')])
  await create(node, fusePod('after-both', MOUNT))
  await reaches(node, 'after-both', 'Succeeded')

  for (let turn = 0; turn < 4; turn += 1) {
    const names = Array.from({ length: 25 }, (_, index) => `many-${turn}-${index}`)
    await Promise.all(names.map(name => create(node, fusePod(name, MOUNT))))
    if (turn === 2) await kill(node, '-x', 'kubelet')
    for (const name of names) await reaches(node, name, 'Succeeded')
    await Promise.all(names.map(name => plane.api('DELETE', `${PODS}/${name}`)))
  }
  for (const name of keepers) {
    const { status } = await podOf(plane, name)
    expect(status.phase, JSON.stringify(status)).toBe('Running')
  }
  expect((await pods(plane)).filter(({ status }) => status.reason !== undefined).map(({ status }) => status.reason)).toEqual([])
}, 600_000)

test('a plugin that is killed at any moment is registered once when it is back, and a removed device is offered to nobody', async () => {
  await using node = await startNode({ images: inject('images') })
  const played = join(node.folder, 'played')
  const tun = join(played, 'dev/net/tun')
  mkdirSync(join(played, 'dev/net'), { recursive: true })
  const make = () => execa('mknod', [tun, 'c', '10', '200'])
  await make()
  const folder = '/var/lib/kubelet/device-plugins'
  const start = () => {
    const argv = [process.execPath, join(ROOT, 'dist/devices.mjs'), 'devices', '--offer', 'tun', '--host-root', played]
    return node.run(['sh', '-c', `${argv.join(' ')} >>${node.folder}/devices.log 2>&1 & echo $!`])
  }
  for (let round = 0; round < 8; round += 1) {
    const pid = await start()
    await wait(round * 120)
    await node.run(['kill', '-9', pid])
  }
  const pid = await start()
  await isOffered(node, 'berth.dev/tun', '256')
  rmSync(tun)
  await isOffered(node, 'berth.dev/tun', '0')
  await make()
  await isOffered(node, 'berth.dev/tun', '256')
  // The one that was there before keeps it, and the second waits.
  const second = await start()
  await wait(2_000)
  expect((await node.run(['ls', folder])).split('\n').filter(name => name.startsWith('berth-tun-'))).toHaveLength(1)
  await node.run(['kill', '-9', pid])
  await isOffered(node, 'berth.dev/tun', '256')
  expect(await node.run(['grep', '-c', '"event":"devices-waits"', `${node.folder}/devices.log`])).toBe('1')
  await node.run(['kill', second])
  await isOffered(node, 'berth.dev/tun', '0')
})
