import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dump } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Proofs, untried } from '../../src/facts/proofs.ts'
import { type Handover, handoverText } from '../../src/helper/handover.ts'
import { parseRecording } from '../../src/host/recorded.ts'
import { CONDITION_TYPE } from '../../src/node-sync/condition.ts'
import type { Outcome } from '../../src/remedies/outcome.ts'
import { endAgents, eventually, nodeOf, ownKubeconfig, startAgent } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { applyManifests } from '../support/cluster/manifests.ts'
import { createNode, realisticNode } from '../support/cluster/nodes.ts'
import { sharedControlPlane } from './shared.ts'

// Whether ID-mapped mounts work on ZFS is not known until one was tried: a label that moves by the helper's word alone.
const KEY = 'berth.dev/cvm'
const FAILED = 'berth_remedy_runs_total{remedy="shiftfs",result="failed"}'
const shared = sharedControlPlane()
const directory = mkdtempSync(join(tmpdir(), 'berth-handed-'))
/** The recorded node, and what a proof is bound to, which no fact asks for. */
const made = { filesystems: 'nodev\toverlay\n', disk: 'zfs (0:20) at /', overProc: '', uptime: 100_000 }
const recorded = join(directory, 'node.yaml')
let without: { readonly labels: Readonly<Record<string, string>>; readonly condition: unknown }

const tried = {
  remedy: 'shiftfs',
  result: 'failed',
  because: 'the build failed: no gcc',
  tail: 'make: gcc: not found\n'
} as const
const good: Handover = {
  ...{ schema: 1, at: '2026-11-03T10:00:06.000Z', version: '0.1.0', node: '' },
  ...{ boot: '00000000-0000-4000-8000-000000000000', release: '6.1.0-56-amd64' },
  uptime: 103_000,
  made,
  readings: { apparmorUserns: undefined, profiles: undefined, sysboxVersion: undefined },
  proofs: { ...untried('no tool'), 'id-mapped-mount': { outcome: 'works', because: 'mountinfo says "idmapped"' } },
  outcomes: [{ ...tried, at: '2026-11-03T10:00:05.000Z' }]
}
const GOOD = handoverText(good)
const restricted = (apparmorUserns: 'off' | 'on'): Handover => ({
  ...good,
  readings: { apparmorUserns, profiles: {}, sysboxVersion: undefined }
})
/** More levels than a function that calls itself for each of them gets through. */
const NESTED = `${'['.repeat(15_000)}${']'.repeat(15_000)}`
const LIE = 'this is a lie'
/** What would be seen on the Node at once if it were believed: by the label, an event and the report. */
const lying = (more: object = {}): string =>
  handoverText({
    ...good,
    proofs: { ...good.proofs, 'id-mapped-mount': { outcome: 'fails', because: LIE } },
    outcomes: [{ ...tried, because: LIE, at: '2026-11-03T11:00:00.000Z' }],
    ...more
  })

beforeAll(async () => {
  const node = parseRecording(readFileSync(join(import.meta.dirname, '../nodes/kubelet-on-zfs.yaml'), 'utf8'))
  const paths = {
    ...node.paths,
    '/proc/filesystems': { ...node.paths['/proc/filesystems'], text: made.filesystems },
    '/proc/uptime': { text: '103600.00 5.00\n' },
    // For root only, as on Ubuntu.
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': { error: 'EACCES' },
    ...Object.fromEntries(
      ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map(place => [`${place}/sysctl.d`, { absent: true }])
    )
  }
  writeFileSync(recorded, dump({ ...node, paths }))
  await applyManifests(shared)
  const { own, condition, agent } = await helped('handed-nothing')
  const labels = await own.isLabelled({ [KEY]: 'unknown' })
  without = { labels, condition: await eventually('its condition stands', async () => (await condition()) ?? false) }
  await agent.kill('SIGTERM')
})
afterAll(async () => {
  await endAgents()
  rmSync(directory, { recursive: true })
})

interface Told {
  readonly facts: { readonly proofs: { readonly value: Proofs } }
  readonly outcomes: readonly Outcome[]
}

interface Line {
  readonly event: string
  readonly level: string
  readonly msg: string
}

/** An agent on a Node of that name, beside a helper that we are; `text` is there before it starts. */
async function helped(name: string, text?: string) {
  const path = join(directory, `${name}.json`)
  const own = nodeOf(shared, name)
  if (text !== undefined) writeFileSync(path, text)
  await createNode(shared, realisticNode(name, { status: { allocatable: { 'github.com/fuse': '10' } } }))
  const more = ['--host-root', recorded, '--handover', path, '--interval', '1s']
  const agent = await startAgent(name, await ownKubeconfig(shared, name), more)
  const told = async () => JSON.parse((await agent.get('/status.json')).text) as Told
  const lines = () => agent.said().split('\n').slice(0, -1)
  const logged = (event: string) => lines().flatMap(line => parsed(line, event))
  const condition = async () => {
    const found = (await own.conditions()).find(({ type }) => type === CONDITION_TYPE)
    return found && { status: found['status'], reason: found['reason'], message: found['message'] }
  }
  return {
    ...{ path, own, agent, told, logged, condition },
    /** As the helper writes it. */
    leave: (left: string) => put(left)(path),
    events: async () => {
      const where = `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=${name}`
      const list = shared.api<{ readonly items: readonly { readonly reason: string; readonly message: string }[] }>('GET', where)
      return (await succeeded('list events', list)).items.filter(({ reason }) => reason.startsWith('Remedy'))
    },
    isBelieved: async () => {
      await eventually('the proof moves the label', async () => (await own.ours())[KEY] === 'true')
      await eventually('the condition tells the failure', async () => (await condition())?.reason === 'RemedyFailed')
      // The pages come a moment after the labels, which an older look may have written.
      await eventually('the pages show it', async () => (await told()).outcomes.length > 0)
      expect(await told()).toMatchObject({ outcomes: good.outcomes, facts: { proofs: { value: good.proofs } } })
    },
    /** Told with that reason in place of the proofs, and nothing on the Node rests on it. */
    /** Its proofs are, and only they. */
    isVoid: async (why: string) => {
      const proofs = async () => Object.values((await told()).facts.proofs.value)
      await eventually(`its proofs are void: ${why}`, async () => (await proofs())[0]?.because.includes(why) === true)
      expect((await proofs()).every(({ outcome }) => outcome === 'untried')).toBe(true)
      expect(await told()).toMatchObject({ outcomes: good.outcomes })
      await eventually('the label is as without them', async () => (await own.ours())[KEY] === 'unknown')
      expect(logged('helper-doubted')).toMatchObject([{ level: 'warn', msg: expect.stringContaining(why) }])
    },
    isDoubted: async (why: string) => {
      const proofs = async () => Object.values((await told()).facts.proofs.value)
      await eventually(`it is doubted: ${why}`, async () => (await proofs())[0]?.because.includes(why) === true)
      expect((await proofs()).every(({ outcome }) => outcome === 'untried')).toBe(true)
      expect((await told()).outcomes).toEqual([])
      await eventually('the labels are as without it', async () => expect(await own.ours()).toEqual(without.labels))
      await eventually('the condition is too', async () => expect(await condition()).toEqual(without.condition))
      expect(await agent.get('/healthz')).toMatchObject({ status: 200 })
    }
  }
}

function parsed(line: string, event: string): readonly Line[] {
  const one = JSON.parse(line) as Line
  return one.event === event ? [one] : []
}

describe.concurrent('what a helper leaves', () => {
  test('is believed: a proof moves a label, an outcome is told by condition, event, report, metric and page', async () => {
    const { own, agent, leave, isBelieved, condition, events } = await helped('handed-good')
    await own.isLabelled({ [KEY]: 'unknown' })
    leave(GOOD)
    await isBelieved()
    expect(await condition()).toEqual({ status: 'False', reason: 'RemedyFailed', message: `shiftfs: ${tried.because}` })
    await eventually('the event is there', async () => (await events()).length > 0)
    expect(await events()).toMatchObject([{ reason: 'RemedyFailed', message: `shiftfs (failed): ${tried.because}` }])
    const report = (await own.read()).metadata.annotations?.['berth.dev/report'] as string
    expect(JSON.parse(report).remedies).toEqual({ shiftfs: { result: 'failed', because: tried.because } })
    expect(await agent.metric(FAILED)).toBe(1)
    expect((await agent.get('/')).text).toContain('make: gcc: not found')
  })

  test.each<[what: string, spoil: (path: string) => void, why: string]>([
    ['cut-short', put(lying().slice(0, -30)), 'the file is not JSON, or it was cut short'],
    ['huge', put(lying().padEnd(70_000)), 'it is larger than 64 KiB'],
    ['endless', path => truncateSync(path, 2 ** 40), 'it is larger than 64 KiB'],
    ['of-a-foreign-schema', put(lying({ schema: 2 })), 'schema 2 is not 1'],
    ['a-link', path => symlinkSync(written(`${path}.other`, lying()), gone(path)), 'it is a symbolic link'],
    ['a-pipe', path => execFileSync('mkfifo', [gone(path)]), 'it is not a regular file'],
    ['of-an-earlier-boot', put(lying({ boot: '1' })), 'under boot 1, but this is boot 00000000-'],
    ['of-an-earlier-kernel', put(lying({ release: '5.10' })), 'on kernel 5.10, but this is 6.1.0-56-amd64'],
    ['about-another-node', put(lying({ node: 'other' })), 'about the Node "other", but this is "handed-about-another-node"'],
    ['a-forged-line', put(lying({ version: '1\n{"event":"forged"}\u001b[2J' })), 'version is '],
    ['of-nested-lists', put(lying({ version: 0 }).replace('"version":0', `"version":${NESTED}`)), 'version is [[['],
    ['gone', gone, 'no privileged helper runs on this node']
  ])('and that is %s is not believed, and a good one is believed again', async (what, spoil, why) => {
    const { path, agent, leave, isBelieved, isDoubted, events, logged } = await helped(`handed-${what}`, GOOD)
    await isBelieved()
    spoil(path)
    await isDoubted(why)
    const doubt = { level: 'warn', msg: expect.stringContaining(why) }
    expect(logged('helper-doubted')).toMatchObject(what === 'gone' ? [] : [doubt])
    leave(GOOD)
    await isBelieved()
    expect(await events()).toHaveLength(1)
    // The same run is counted once, although it was heard of twice.
    expect(await agent.metric(FAILED)).toBe(1)
    expect([logged('forged'), agent.said().includes(LIE)]).toEqual([[], false])
    expect(await agent.kill('SIGTERM')).toBe(0)
  })

  test.each<[what: string, changed: object | null, why: string]>([
    ['on-another-disk', { disk: 'ext4 (8:1) at /' }, "made on ext4 (8:1) at /, but the kubelet's root is on zfs (0:20) at /"],
    ['with-other-file-systems', { filesystems: 'nodev\toverlay\n\tzfs\n' }, 'file systems of the kernel have changed'],
    ['more-than-a-day-ago', { uptime: 10_000 }, 'are 26 hours old; check that the helper is running'],
    ['with-who-knows-what', null, 'the helper could not read what they depend on']
  ])('and that was proved %s proves nothing, and what was done is believed', async (what, changed, why) => {
    const { leave, isBelieved, isVoid } = await helped(`handed-${what}`, GOOD)
    await isBelieved()
    leave(handoverText({ ...good, made: changed && { ...made, ...changed } }))
    await isVoid(why)
    leave(GOOD)
    await isBelieved()
  })

  test('and that only root can read is believed for two hours', async () => {
    const { own, leave, logged } = await helped('handed-readings', handoverText(restricted('off')))
    await own.isLabelled({ 'berth.dev/podman': 'true' })
    leave(handoverText(restricted('on')))
    await own.isLabelled({ 'berth.dev/podman': 'false' })
    // Of an old file nothing counts any more, and the label stays for as long as one of a fact that cannot be read does.
    leave(handoverText({ ...restricted('off'), uptime: 90_000 }))
    const doubts = () => logged('helper-doubted').map(({ msg }) => msg)
    await eventually('it is doubted', () => Promise.resolve(doubts().length > 0))
    expect(doubts()).toEqual([expect.stringContaining('readings are not used: they are 3 hours old')])
    expect((await own.ours())['berth.dev/podman']).toBe('false')
  })

  test('and replaces while it is read is always one or the other, whole', async () => {
    const { leave, isBelieved, logged } = await helped('handed-replaced', GOOD)
    await isBelieved()
    const texts = [GOOD, handoverText({ ...good, version: `0.1.0${'+'.repeat(500)}` })]
    const looks = logged('node-looked-at').length
    for (let round = 0; logged('node-looked-at').length < looks + 3; round += 1) {
      leave(texts[round % 2] as string)
      await sleep(1)
    }
    expect(logged('helper-doubted')).toEqual([])
    await isBelieved()
  })

  test('and is written over in place is believed whole or not at all', async () => {
    const { path, isBelieved, logged, told, agent } = await helped('handed-overwritten', GOOD)
    await isBelieved()
    const looks = logged('node-looked-at').length
    for (let round = 0; logged('node-looked-at').length < looks + 3; round += 1) {
      writeFileSync(path, round % 2 === 0 ? lying().slice(0, 400) : GOOD)
      expect([[], good.outcomes]).toContainEqual((await told()).outcomes)
    }
    writeFileSync(path, GOOD)
    await isBelieved()
    expect(agent.said()).not.toContain(LIE)
  })
})

/** At once: a reader in the middle of a write would see another fault first. */
function put(text: string): (path: string) => void {
  return path => {
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
}

function written(path: string, text: string): string {
  writeFileSync(path, text)
  return path
}

function gone(path: string): string {
  rmSync(path)
  return path
}
