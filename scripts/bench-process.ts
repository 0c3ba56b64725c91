import { readdirSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import type { ControlPlane } from '../test/support/cluster/control-plane.ts'
import { writeKubeconfig } from '../test/support/cluster/kubeconfigs.ts'
import { AGENT } from '../test/support/cluster/manifests.ts'
import { ROOT } from './steps.ts'

export interface Start {
  readonly bundle: string
  readonly env: Readonly<Record<string, string>>
  readonly kubeconfig: string
  readonly node: string
  readonly more: readonly string[]
}

/** The flags with which the agent's image starts Node. */
export function imageFlags(): readonly string[] {
  const [, stage = ''] = readFileSync(`${ROOT}/Dockerfile`, 'utf8').split(/^FROM .* AS agent$/m)
  const entrypoint = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(stage)?.[1] ?? '[]') as readonly string[]
  return entrypoint.filter(argument => argument.startsWith('--'))
}

/** Fills the compile cache as the image's build does: V8 takes code only from a process with the same flags. */
export const warm = async (bundle: string, env: Readonly<Record<string, string>>): Promise<void> => {
  await execa(process.execPath, [...imageFlags(), bundle, '--version'], { env })
}

/** The agent in a process of its own, by Node and flags as the image starts it. */
export const start = ({ bundle, env, kubeconfig, node, more }: Start) =>
  execa(process.execPath, [...imageFlags(), bundle, 'run', '--kubeconfig', kubeconfig, '--node-name', node, ...more], {
    env: { ...env },
    stdout: 'ignore',
    reject: false
  })

/** As the agent's own service account, with a token of a pod on that Node. */
export const agentKubeconfig = async (plane: ControlPlane, node: string, server: string): Promise<string> =>
  await writeKubeconfig(plane.directory, {
    cluster: { server, 'certificate-authority': plane.caFile },
    user: { token: await plane.tokenFor({ ...AGENT, nodeName: node }) }
  })

/** Of all threads, in seconds: a tick of /proc/PID/stat is a hundredth, the scheduler counts nanoseconds (sched-stats.rst). */
export const cpuSeconds = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map(thread => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, time) => sum + time, 0) / 1e9

/** MiB. */
export const memory = (pid: number, field: 'VmRSS' | 'RssAnon'): number =>
  Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
