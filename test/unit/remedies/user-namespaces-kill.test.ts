import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { JOURNAL, parseJournal } from '../../../src/remedies/journal.ts'
import { userNamespaces } from '../../../src/remedies/user-namespaces.ts'
import { distro, factsOf } from '../node-facts.ts'
import { bottlerocket, type Node } from './bottlerocket-server.ts'
import { kernelHost } from './kernel-host.ts'

const ROUNDS = 50
const LANES = 5
const CHILD = join(import.meta.dirname, 'apply-and-die.ts')
const terms = { maxUserNamespaces: 65_536 }

/** Applies in a process of its own and kills it so many milliseconds after it began; resolves to whether it was still at work. */
async function killed({ root }: Node, id: string, after: number): Promise<boolean> {
  const child = execFile(process.execPath, [CHILD, root, id])
  const ended = new Promise<string | null>(resolve => child.on('exit', (_, signal) => resolve(signal)))
  await new Promise(resolve => child.stdout?.once('data', resolve))
  await wait(after)
  child.kill('SIGKILL')
  return (await ended) === 'SIGKILL'
}

async function round(index: number): Promise<{ readonly cut: boolean; readonly left: string }> {
  const node = await bottlerocket()
  const id = index % 5 === 0 ? 'debian' : 'bottlerocket'
  node.delay = () => Math.random() * 40
  const cut = await killed(node, id, Math.random() * 80)
  await wait(50)
  const path = join(node.root, JOURNAL)
  const journal = existsSync(path) ? parseJournal(readFileSync(path, 'utf8')) : { schema: 1 as const }
  const left = `${journal?.userNamespaces === undefined ? 'no' : 'a'} journal, ${node.kernel()}`
  expect(journal).toBeDefined()
  // Nothing was done that the journal does not tell of.
  if (node.kernel() !== 0) expect(journal?.userNamespaces?.to).toBe(65_536)
  const host = kernelHost(node.root)
  expect((await userNamespaces.apply(host, factsOf({ distro: distro(id) }), terms)).failure).toBeUndefined()
  expect(node.kernel()).toBe(65_536)
  if (id === 'bottlerocket') expect(node.live.get('user.max_user_namespaces')).toBe('65536')
  expect((await userNamespaces.undo(host, terms)).failure).toBeUndefined()
  expect(node.kernel()).toBe(0)
  // A cut write leaves one file at most, which the next write after ten seconds takes away.
  expect(readdirSync(join(node.root, 'var/lib/berth')).length).toBeLessThanOrEqual(2)
  await node.stop()
  return { cut, left }
}

test(`killed at ${ROUNDS} moments, the next start finds a clean or a finished node and finishes it`, async () => {
  const found: { readonly cut: boolean; readonly left: string }[] = []
  const lane = async (first: number) => {
    for (let index = first; index < ROUNDS; index += LANES) found.push(await round(index))
  }
  await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)))
  const counts = Object.entries(Object.groupBy(found, ({ cut, left }) => `${cut ? 'cut' : 'ended'}: ${left}`))
  console.log(counts.map(([what, all]) => `${all?.length} × ${what}`).join('; '))
  expect(found).toHaveLength(ROUNDS)
  expect(found.some(({ cut }) => cut)).toBe(true)
}, 180_000)
