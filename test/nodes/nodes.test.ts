import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { observeNode } from '../../src/commands/observe-node.ts'
import type { Snapshot } from '../../src/cycle/snapshot.ts'
import { labels } from '../../src/node-sync/labels.ts'
import { reportAnnotation } from '../../src/node-sync/report.ts'
import { machines } from './machines.ts'
import { CLOCK, configOf, GOLDENS, golden, NODES, nodeFile, recordingFile, recordingOf } from './recordings.ts'

const names = Object.keys(machines)
const seen = new Map<string, Snapshot>()

/** One look at a recorded node with the default options. */
async function snapshotOf(name: string): Promise<Snapshot> {
  const snapshot = seen.get(name) ?? (await observeNode(configOf(name), CLOCK))
  seen.set(name, snapshot)
  return snapshot
}

const answersOf = ({ verdicts }: Snapshot) =>
  Object.fromEntries(Object.entries(verdicts).map(([capability, { answer }]) => [capability, answer]))

describe.each(names)('%s', name => {
  const machine = machines[name] as (typeof machines)[string]

  it('hosts what the rules say', async () => {
    expect(answersOf(await snapshotOf(name))).toEqual(machine.expected)
  })

  it('has an answer to every question', async () => {
    const { facts } = await snapshotOf(name)
    expect(JSON.stringify(facts)).not.toContain('the recorded node has no answer')
  })

  it('is reported as the golden has it (npm run golden writes it anew)', async () => {
    expect(await golden(name)).toBe(readFileSync(join(GOLDENS, `${name}.txt`), 'utf8'))
  })

  it('is recorded as the table has it (npm run golden)', async () => {
    for (const [file, text] of Object.entries(await recordingOf(name, machine))) {
      expect(readFileSync(join(NODES, file), 'utf8'), file).toBe(text)
    }
  })

  it('would carry labels and an annotation that Kubernetes takes', async () => {
    const snapshot = await snapshotOf(name)
    const carried = Object.entries(labels(snapshot, 'berth.dev'))
    expect(carried.length).toBeLessThanOrEqual(30)
    for (const [key, value] of carried) {
      expect(key).toMatch(/^berth\.dev\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      expect(value, key).toMatch(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/)
    }
    const annotation = reportAnnotation(snapshot, '0.0.0')
    expect(Buffer.byteLength(annotation)).toBeLessThanOrEqual(4096)
    expect(Object.keys(JSON.parse(annotation).verdicts)).toEqual(Object.keys(machine.expected))
  })
})

/** What must not stand in a file that people hand around, each with what may. */
const SECRETS: readonly (readonly [what: string, pattern: RegExp, allowed: RegExp])[] = [
  [
    'a UUID',
    /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi,
    /^(00000000-0000-4000-8000-000000000000|8be4df61-.*|605dab50-.*)$/
  ],
  ['a MAC address', /\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi, /^02:00:00:00:00:00$/],
  ['an IP address', /(?<![\w.-])(\d{1,3}\.){3}\d{1,3}(?![\w.-])/g, /^192\.0\.2\.1$/],
  ['a long id', /\b[0-9a-f]{32,}\b/gi, /^0+$/],
  ['a token', /\beyJ[\w-]+|\bbearer\s+\S+|(token|password|secret|serial)\S*=\S+/gi, /^$/]
]

describe('the folder', () => {
  const files = readdirSync(NODES).filter(file => file.endsWith('.yaml'))

  it('holds the machines of the table and no others', () => {
    const wanted = names.flatMap(name => [recordingFile(name), ...(machines[name]?.node === undefined ? [] : [nodeFile(name)])])
    expect(files.map(file => join(NODES, file)).sort()).toEqual(wanted.sort())
    const goldens = readdirSync(GOLDENS).filter(file => file.endsWith('.txt'))
    expect(goldens.sort()).toEqual(names.map(name => `${name}.txt`).sort())
  })

  it.each(files)('%s holds nothing that names a machine, and no secret', file => {
    const text = readFileSync(join(NODES, file), 'utf8')
    const found = SECRETS.flatMap(([what, pattern, allowed]) =>
      [...text.matchAll(pattern)].filter(([hit]) => !allowed.test(hit)).map(([hit]) => `${what}: ${hit}`)
    )
    expect(found).toEqual([])
  })

  it('shows every capability in every answer that it can have', () => {
    const answers = (capability: string) =>
      new Set(Object.values(machines).map(({ expected }) => (expected as Record<string, string>)[capability]))
    for (const capability of ['cvm', 'cached-cvm', 'gpu', 'gpu-cvm', 'podman', 'sysbox', 'userns', 'kvm']) {
      expect([...answers(capability)].sort(), capability).toEqual(['no', 'unknown', 'yes'])
    }
  })
})
