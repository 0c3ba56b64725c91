import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { JOURNAL, parseJournal } from '../../../src/remedies/journal.ts'
import { userNamespaces } from '../../../src/remedies/user-namespaces/apply.ts'
import { distro, factsOf } from '../node-facts.ts'
import { bottlerocket } from './bottlerocket-server.ts'
import { kernelHost } from './kernel-host.ts'
import { killed, rounds } from './kill.ts'

const ROUNDS = 50
const terms = { maxUserNamespaces: 65_536 }

async function round(index: number): Promise<string> {
  const node = await bottlerocket()
  const id = index % 5 === 0 ? 'debian' : 'bottlerocket'
  node.delay = () => Math.random() * 40
  const cut = await killed('apply-and-die.ts', [node.root, id], Math.random() * 80)
  await wait(50)
  const path = join(node.root, JOURNAL)
  const journal = existsSync(path) ? parseJournal(readFileSync(path, 'utf8')) : { schema: 1 as const }
  const left = `${Object.keys(journal?.sysctls ?? {}).length === 0 ? 'no' : 'a'} journal, ${node.kernel()}`
  expect(journal).toBeDefined()
  // Nothing was done that the journal does not tell of.
  if (node.kernel() !== 0) expect(journal?.sysctls?.['user.max_user_namespaces']?.to).toBe(65_536)
  const host = kernelHost(node.root)
  expect((await userNamespaces.apply(host, factsOf({ distro: distro(id) }), terms)).failure).toBeUndefined()
  expect(node.kernel()).toBe(65_536)
  if (id === 'bottlerocket') expect(node.live.get('user.max_user_namespaces')).toBe('65536')
  expect((await userNamespaces.undo(host, terms)).failure).toBeUndefined()
  expect(node.kernel()).toBe(0)
  // A cut write leaves one file at most, which the next write after ten seconds takes away.
  expect(readdirSync(join(node.root, 'var/lib/berth')).length).toBeLessThanOrEqual(2)
  await node.stop()
  return `${cut ? 'cut' : 'ended'}: ${left}`
}

test(`killed at ${ROUNDS} moments on a stand-in for Bottlerocket, the next start finds a clean or a finished node and finishes it`, async () => {
  const found = await rounds(ROUNDS, round)
  expect(found).toHaveLength(ROUNDS)
  expect(found.some(what => what.startsWith('cut'))).toBe(true)
}, 180_000)
