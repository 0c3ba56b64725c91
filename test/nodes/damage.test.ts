import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localHost } from '../../src/host/local.ts'
import { parseRecording } from '../../src/host/recorded.ts'
import { claims, claimsByDamage, cut, cutTexts, damaged, garbled, newClaims, unreadable } from './damage.ts'
import { put } from './laid-out.ts'
import { machines } from './machines.ts'
import { directory, type Machine, normalised, playedHost } from './played.ts'
import { recordingFile } from './recordings.ts'

const nodes = Object.entries(machines).map(([name, machine]) => ({
  name,
  machine,
  recording: parseRecording(readFileSync(recordingFile(name), 'utf8'))
}))

// Of an empty root there is no file to damage.
describe.each(nodes.filter(({ name }) => name !== 'empty-root'))(
  '$name: no claim comes of one file',
  ({ machine, recording }) => {
    const entries = Object.entries(recording.paths)

    it('that is cut inside a line, or empty', async () => {
      const damages = entries.flatMap(([path, entry]) => cut(path, entry))
      expect(damages.length).toBeGreaterThan(50)
      expect(await newClaims(recording, machine, damages)).toEqual([])
    })
    it('that holds garbage', async () => {
      const damages = entries.flatMap(([path, entry]) => garbled(path, entry))
      expect(damages.length).toBeGreaterThan(20)
      expect(await newClaims(recording, machine, damages)).toEqual([])
    })
  }
)

it('observing only the facts that asked for the damaged file comes to the same as observing all', async () => {
  const { machine, recording } = nodes.find(({ name }) => name === 'hgx-h100') as (typeof nodes)[number]
  const claimsWith = await claimsByDamage(recording, machine)
  const changed = new Set<string>()
  for (const damage of Object.entries(recording.paths).flatMap(([path, entry]) => [
    ...unreadable(path, entry),
    ...cut(path, entry)
  ])) {
    const all = await claims(damaged(recording, playedHost(machine), damage), machine)
    expect(await claimsWith(damage), `${damage.path} ${damage.how}`).toEqual(all)
    changed.add([...all].join())
  }
  expect(changed.size).toBeGreaterThan(3)
})

/** Real files in a real folder: what is made up here and what the reader of a node makes of it come to the same. */
describe.each(['modules-blacklist', 'debian-12-shiftfs', 'rocky-8-elrepo'])('%s as real files', name => {
  const { recording, machine } = nodes.find(node => node.name === name) as (typeof nodes)[number]
  const real = realisable(machine)
  const root = mkdtempSync(join(tmpdir(), 'berth-damage-'))
  const things = [...normalised(real.tree)]

  beforeAll(async () => {
    for (const [path, entry] of things) await put(root, path, entry)
  })
  afterAll(() => rmSync(root, { recursive: true }))

  it('is judged as the played one', async () => {
    const seen = await claims(localHost(root), real)
    expect(seen).toEqual(await claims(playedHost(real), real))
    expect(seen.size).toBeGreaterThan(0)
  })

  it('is judged as the played one with any file that it is asked for damaged', async () => {
    const asked = await askedFiles(real, Object.keys(recording.paths))
    expect(asked.length).toBeGreaterThan(20)
    for (const [path, text] of asked) {
      const cuts = cutTexts(text).filter((_, index) => index < 3)
      for (const entry of [...cuts, directory]) {
        await put(root, path, entry)
        const played = { ...real, tree: { ...real.tree, [path]: entry } }
        const what = `${path} as ${JSON.stringify(entry)}`
        expect(await claims(localHost(root), real), what).toEqual(await claims(playedHost(played), played))
      }
      await put(root, path, text)
    }
  })
})

/** Without device nodes, which only root can make. */
function realisable(machine: Machine): Machine {
  const kept = Object.entries(machine.tree).filter(
    ([, entry]) => typeof entry !== 'object' || entry.kind === 'link' || entry.kind === 'directory'
  )
  return {
    ...machine,
    arch: process.arch === 'x64' ? 'amd64' : process.arch,
    tree: { ...Object.fromEntries(kept), '/dev': directory }
  }
}

/** The files that were asked for, where they really lie, and their texts. */
async function askedFiles(machine: Machine, paths: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const host = playedHost(machine)
  const files = await Promise.all(paths.map(path => host.realpath(path)))
  return [...new Set(files)]
    .filter(path => path !== undefined)
    .map(path => [path, machine.tree[path]] as const)
    .filter((file): file is readonly [string, string] => typeof file[1] === 'string')
}
