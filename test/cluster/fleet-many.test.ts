import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import { agentNode, BOOT } from '../support/recorded-fleet.ts'
import { type FakeApi, fakeApi } from './fake-api.ts'

const NODES = 15_000
const MACHINES = ['eks-ubuntu-22.04', 'eks-al2023', 'bottlerocket-raised', 'bottlerocket-fresh', 'ec2-g5'] as const

let directory: string
let api: FakeApi
let kubeconfig: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-fleet-'))
  // As kubectl finds a plugin: a program of that name on the PATH.
  await symlink(join(ROOT, 'dist/berth.mjs'), join(directory, 'kubectl-berth'))
  const heartbeat = new Date()
  const nodes = await Promise.all(
    MACHINES.map(async name => {
      const node = await agentNode('NAME', name, { pool: ['eks.amazonaws.com/nodegroup', name], heartbeat })
      // Each boot has an id of its own, so that no two reports are the same text.
      return JSON.stringify(node).replaceAll(BOOT, 'boot-of-NAME')
    })
  )
  const text = (index: number) => (nodes[index % nodes.length] as string).replaceAll('NAME', `node-${index}.example`)
  api = await fakeApi(async (request, response) => {
    const query = new URL(request.url ?? '', 'http://api').searchParams
    const from = Number(query.get('continue') ?? 0)
    const to = Math.min(NODES, from + Number(query.get('limit') ?? NODES))
    const metadata = { resourceVersion: '1', ...(to < NODES ? { continue: String(to) } : {}) }
    response.writeHead(200, { 'content-type': 'application/json' })
    const items = Array.from({ length: to - from }, (_, index) => text(from + index))
    response.end(`{"kind":"NodeList","metadata":${JSON.stringify(metadata)},"items":[${items.join(',')}]}`)
  })
  kubeconfig = await writeKubeconfig(directory, {
    cluster: { server: `http://127.0.0.1:${api.port}`, 'insecure-skip-tls-verify': true }
  })
})
afterAll(async () => {
  await api?.close()
  await rm(directory, { recursive: true })
})

/** The peak of its resident memory (KiB), which the kernel counts from the start of the program, is the last that it says. */
const PEAK = `data:text/javascript,import{readFileSync}from'node:fs';process.on('exit',()=>process.stderr.write(
readFileSync('/proc/self/status','utf8').match(/VmHWM:\\s+(\\d+)/)[1]))`

/** `kubectl berth ARGS`, as kubectl starts it. */
const plugin = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  execa('kubectl-berth', args, {
    extendEnv: false,
    reject: false,
    maxBuffer: 100_000_000,
    env: {
      PATH: [directory, join(process.execPath, '..'), '/usr/bin', '/bin'].join(delimiter),
      KUBECONFIG: kubeconfig,
      ...environment
    }
  })

test.each([[['--format', 'json']], [['--format', 'html']]])(
  '15,000 nodes in less than 150 MiB, 500 a page: kubectl berth %j',
  async args => {
    const before = api.requests.length
    const start = performance.now()
    const { exitCode, stdout, stderr } = await plugin(args, {
      NODE_OPTIONS: `--import=${PEAK.replaceAll('\n', '').replaceAll(' ', '%20')}`
    })
    const seconds = (performance.now() - start) / 1000
    expect(exitCode).toBe(0)
    const mebibytes = Number(stderr) / 1024
    process.stdout.write(`berth fleet ${args.join(' ')}: ${seconds.toFixed(1)} s, ${mebibytes.toFixed(0)} MiB\n`)
    expect(mebibytes).toBeGreaterThan(40)
    expect(mebibytes).toBeLessThan(150)
    for (const index of [0, 7_777, NODES - 1]) expect(stdout).toContain(`node-${index}.example`)
    const asked = api.requests.slice(before)
    expect(asked).toHaveLength(NODES / 500)
    for (const one of asked) expect(one).toMatch(/^GET \/api\/v1\/nodes\?limit=500(&continue=\d+)?$/)
  }
)

test('as a plugin it takes what follows, another command too', async () => {
  expect((await plugin(['--help'])).stdout).toMatch(/^berth fleet/m)
  expect((await plugin(['explain', '--help'])).stdout).toMatch(/^berth explain/m)
})

test('wrong options end with 2, and each is named with what was expected', async () => {
  const { exitCode, stdout, stderr } = await plugin(['--capability', 'gpus', '--format=xml', '--wy'])
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr.split('\n')).toEqual([
    'berth: unknown option --wy: did you mean --why?',
    'berth: --format is "xml": expected table, json, csv or html',
    'berth: --capability is "gpus": expected cvm, cached-cvm, gpu, gpu-cvm, podman, sysbox, userns, kvm or privileged',
    'See berth fleet --help.'
  ])
})

test('a cluster that cannot be had ends with its reason', async () => {
  const { exitCode, stdout, stderr } = await plugin([], { KUBECONFIG: join(directory, 'none') })
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain(join(directory, 'none'))
})
