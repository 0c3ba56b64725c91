import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { ROOT } from '../../../packaging/root.ts'
import { listeningPort } from '../listening-port.ts'
import { succeeded } from './api.ts'
import type { ControlPlaneClient } from './control-plane.ts'
import { writeKubeconfig } from './kubeconfigs.ts'
import { AGENT } from './manifests.ts'
import type { NodeObject } from './nodes.ts'

/** The daemon as a user starts it, in a process of its own. */
export interface AgentProcess {
  /** Everything that it wrote, standard output and standard error. */
  readonly said: () => string
  readonly pid: number
  readonly alive: () => boolean
  /** The port that it listens on, which the kernel has chosen. Rejects while there is none. */
  readonly port: () => Promise<number>
  readonly get: (path: string) => Promise<{ readonly status: number; readonly text: string }>
  /** The value of one series as `/metrics` has it; `undefined` where there is none. */
  readonly metric: (series: string) => Promise<number | undefined>
  /** Resolves to the exit status, or to the name of the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly kill: (signal: NodeJS.Signals) => Promise<number | string>
}

const running = new Map<AgentProcess, string>()

/** What the agents on that Node said last, for the message of a test that waits in vain. */
const lastWordsOn = (name: string): string =>
  [...running].flatMap(([agent, node]) => (node === name ? [agent.said().slice(-4_000)] : [])).join('\n')

/** For afterAll: nothing outlives its test file. */
export const endAgents = async (): Promise<void> => {
  await Promise.all([...running.keys()].map(agent => agent.kill('SIGKILL')))
}

/** `output`: a file that its standard output is appended to, by the process itself; `said` has only standard error then. */
export async function startAgent(
  name: string,
  kubeconfig: string,
  more: readonly string[] = [],
  output?: string
): Promise<AgentProcess> {
  const listen = more.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']
  const args = ['run', '--kubeconfig', kubeconfig, '--node-name', name, '--log-level', 'debug', ...listen, ...more]
  // What is shipped, and starts in a third of the time that the sources take.
  const command = [process.execPath, 'dist/berth.mjs', ...args] as const
  const [file, ...rest] = output === undefined ? command : (['sh', '-c', 'exec "$@" >> "$0"', output, ...command] as const)
  const child = execa(file, rest, {
    cwd: ROOT,
    reject: false,
    buffer: false,
    extendEnv: false,
    env: { PATH: process.env['PATH'] ?? '' }
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece: Buffer) => {
      text += piece
    })
  }
  let alive = true
  const ended = child.then(({ exitCode, signal }) => {
    alive = false
    return signal ?? exitCode ?? 'never started'
  })
  let known: number | undefined
  const port = async () => {
    known ??= await listeningPort(child.pid ?? 0)
    if (known === undefined) throw new Error(`the agent on ${name} does not listen yet`)
    return known
  }
  const get = async (path: string) => {
    if (!alive) throw new Error(`the agent on ${name} has ended; its last words: ${text.slice(-1_000)}`)
    const answer = await fetch(`http://127.0.0.1:${await port()}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  const agent: AgentProcess = {
    said: () => text,
    pid: child.pid ?? 0,
    alive: () => alive,
    port,
    get,
    metric: async series => {
      const line = (await get('/metrics')).text.split('\n').find(one => one.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length + 1))
    },
    ended,
    kill: signal => {
      child.kill(signal)
      return ended
    }
  }
  running.set(agent, name)
  return agent
}

/** Asks until it is so: a look that throws or answers no is asked again. Says what it waited for, and what stood in the way. */
export async function eventually<T>(what: string, look: () => Promise<T> | T, limit = 60_000): Promise<Exclude<T, false>> {
  const began = Date.now()
  const deadline = began + limit
  for (;;) {
    const seen = await Promise.resolve()
      .then(look)
      .catch((error: Error) => error)
    if (seen !== false && !(seen instanceof Error)) return seen as Exclude<T, false>
    if (Date.now() > deadline) throw new Error(`waited ${limit / 1000} s in vain until ${what}`, { cause: seen })
    // Many that wait for long must not take the time of what they wait for.
    await sleep(Date.now() - began < 1_000 ? 25 : 100)
  }
}

/** As the agent is installed on that Node: the token of a pod on it, and of the ServiceAccount of the manifests. */
export const ownKubeconfig = async (client: ControlPlaneClient, nodeName: string, server = client.url): Promise<string> =>
  writeKubeconfig(client.directory, {
    cluster: { server, 'certificate-authority': client.caFile },
    user: { token: await client.tokenFor({ ...AGENT, nodeName }) }
  })

/** What the tests ask of one Node. */
export function nodeOf(client: ControlPlaneClient, name: string) {
  const path = `/api/v1/nodes/${name}`
  const read = () => succeeded(`read ${name}`, client.api<NodeObject>('GET', path))
  const ours = async () => oursOf(await read())
  return {
    read,
    ours,
    /** As an administrator; `null` removes. */
    label: (labels: Readonly<Record<string, string | null>>) =>
      succeeded(`label ${name}`, client.api<NodeObject>('PATCH', path, { metadata: { labels } })),
    patch: (body: object) => succeeded(`patch ${name}`, client.api<NodeObject>('PATCH', path, body)),
    isLabelled: (wanted: Readonly<Record<string, string>> = {}) =>
      eventually(`${name} is labelled ${JSON.stringify(wanted)}`, async () => {
        const labels = await ours()
        if (!('berth.dev/cvm' in labels)) return false
        return Object.entries(wanted).every(([key, value]) => labels[key] === value) && labels
      }).catch((error: Error) => {
        throw new Error(`${error.message}; the agent said\n${lastWordsOn(name)}`, { cause: error })
      }),
    conditions: async () => (await read()).status['conditions'] as readonly Readonly<Record<string, string>>[],
    /** Requests of agents about this Node so far, `patch /api/v1/nodes/x?…`, as the API server logged them. */
    audited: async (verb: string) => {
      const mark = `${path}-mark-${Math.random()}`
      await client.api('GET', mark)
      const log = await eventually('the audit log is written', async () => {
        const text = await readFile(client.auditLog, 'utf8')
        return text.includes(mark) && text
      })
      return (
        log
          .split('\n')
          .filter(line => line.includes(`"${path}`) && line.includes('"userAgent":"berth/'))
          .map(line => JSON.parse(line) as { readonly verb: string; readonly requestURI: string })
          // A dry run asks whether the guard refuses, and writes nothing.
          .filter(({ requestURI }) => !requestURI.includes('dryRun'))
          .filter(({ requestURI }) => [path, `${path}/status`].includes(requestURI.split('?')[0] as string))
          .filter(one => one.verb === verb)
          .map(({ requestURI }) => requestURI)
      )
    }
  }
}

export const oursOf = ({ metadata }: NodeObject): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([key]) => key.startsWith('berth.dev/')))

/** A small host root that a test can change while it is looked at. */
export interface HostRoot {
  readonly path: string
  readonly write: (file: string, text: string) => void
  /** A directory in its place: to read it fails, whoever asks, and still it is there. */
  readonly spoil: (file: string) => void
  readonly remove: () => void
}

export const BOOT = 'proc/sys/kernel/random/boot_id'
export const RELEASE = 'proc/sys/kernel/osrelease'
export const OS_RELEASE = 'etc/os-release'
export const bootId = (digit: string) => `${digit.repeat(8)}-1111-4111-8111-111111111111\n`

export function hostRoot(): HostRoot {
  const path = mkdtempSync(join(tmpdir(), 'berth-agent-root-'))
  const clear = (file: string) => rmSync(join(path, file), { recursive: true, force: true })
  const root: HostRoot = {
    path,
    write: (file, text) => {
      clear(file)
      mkdirSync(dirname(join(path, file)), { recursive: true })
      writeFileSync(join(path, file), text)
    },
    spoil: file => {
      clear(file)
      mkdirSync(join(path, file))
    },
    remove: () => rmSync(path, { recursive: true, force: true })
  }
  root.write(BOOT, bootId('1'))
  root.write(RELEASE, '5.15.0-1084-aws\n')
  root.write(OS_RELEASE, 'ID=ubuntu\nVERSION_ID="22.04"\n')
  root.write('proc/modules', '')
  root.write('sys/kernel/notes', '')
  return root
}
