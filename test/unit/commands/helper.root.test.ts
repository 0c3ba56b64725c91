import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import type { Handover } from '../../../src/helper/handover.ts'
import { localWriter } from '../../../src/host/local-writer.ts'
import { JOURNAL } from '../../../src/remedies/journal.ts'
import { temporary } from '../host/temporary.ts'

const MAIN = join(import.meta.dirname, '../../../src/main.ts')
const LOCK = '/var/lib/berth/lock'
const LIMIT = 'proc/sys/user/max_user_namespaces'

/** A node on which more user namespaces are wanted. */
const nodeRoot = (more: Readonly<Record<string, string>> = {}): string =>
  temporary({
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
    [LIMIT]: '0\n',
    'proc/self/uid_map': '         0          0 4294967295\n',
    'proc/self/ns/user': '',
    'proc/sys/kernel/osrelease': '6.1.0-18-amd64\n',
    'proc/sys/kernel/random/boot_id': '7b3c1e2a-90ab-4cde-8f01-23456789abcd\n',
    'proc/modules': '',
    'proc/uptime': '100.0 100.0\n',
    'boot/config-6.1.0-18-amd64': 'CONFIG_USER_NS=y\n',
    'var/lib/kubelet/x': '',
    ...more
  })

const helper = async (root: string, ...options: readonly string[]) => {
  const argv = [MAIN, 'helper', '--host-root', root, ...options]
  const { exitCode, stdout, stderr } = await execa(process.execPath, argv, { reject: false, extendEnv: false })
  return { status: exitCode, stdout, stderr }
}

const once = (root: string) =>
  helper(root, '--once', '--handover', join(root, 'handover.json'), '--permit', 'user-namespaces-anywhere')

const outcomes = (root: string) =>
  (JSON.parse(readFileSync(join(root, 'handover.json'), 'utf8')) as Handover).outcomes.map(({ remedy, result, because }) =>
    [remedy, result, because].join(': ')
  )

test('a second helper says who is working on this node, and applies and undoes nothing', async () => {
  const root = nodeRoot()
  const locked = await localWriter(root).lock(LOCK, { who: 'pid 7 on berth-x, since noon', waitSeconds: 0 })
  const says = 'another helper is working on this node (pid 7 on berth-x, since noon); try again when it has finished'
  const [second, undo] = await Promise.all([once(root), helper(root, '--undo')])
  expect([second.status, undo.status]).toEqual([1, 1])
  expect(second.stdout).toContain(says)
  expect(undo.stderr).toBe(`berth: nothing was undone: ${says}`)
  expect([existsSync(join(root, 'handover.json')), readFileSync(join(root, LIMIT), 'utf8')]).toEqual([false, '0\n'])
  if (locked.ok) await locked.release()
  const third = await once(root)
  expect(third.stdout).toContain('user-namespaces: applied: wrote 65536')
  const undone = await helper(root, '--undo')
  expect(undone.stdout).toMatch(/^A running helper .*: remove them from its --permit first\.$/m)
})

test('a broken journal blocks the remedies with its reason, in a new handover, and undo and the plan say so', async () => {
  const root = nodeRoot({ [JOURNAL.slice(1)]: 'no journal', 'handover.json': '{"old":true}' })
  const why = /\/var\/lib\/berth\/journal\.json cannot be read: it is not a journal of berth/
  const { stdout, stderr } = await once(root)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^user-namespaces: blocked: .*journal/m)
  expect(outcomes(root)[0]).toMatch(why)
  const [undo, plan] = [await helper(root, '--undo'), await helper(root, '--dry-run', '--permit', 'user-namespaces-anywhere')]
  expect([undo.status, undo.stderr]).toEqual([1, ''])
  expect(undo.stdout).toMatch(why)
  expect([plan.status, plan.stderr]).toEqual([0, ''])
  expect(plan.stdout.replaceAll(/\n +/g, ' ')).toMatch(/user-namespaces +blocked: .*it is not a journal of berth/)
})

test('without a lock the helper applies nothing, but still runs the trials', async () => {
  const root = nodeRoot({ 'var/lib/berth/lock/x': '' })
  await once(root)
  expect(outcomes(root)[0]).toMatch(/^user-namespaces: blocked: \/var\/lib\/berth\/lock cannot be written: /)
  expect(readFileSync(join(root, LIMIT), 'utf8')).toBe('0\n')
})
