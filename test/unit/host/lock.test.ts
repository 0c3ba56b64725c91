import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { localWriter } from '../../../src/host/local-writer.ts'
import { refusal, temporary } from './temporary.ts'

const LOCK = '/var/lib/berth/lock'
const NODE = new URL('../../../src/host/local-writer.ts', import.meta.url).href

test('a second process learns who holds the lock, and gets it after the release', async () => {
  const root = temporary()
  const host = localWriter(root)
  const first = await host.lock(LOCK, { who: 'pid 1 on node-a', waitSeconds: 0 })
  expect(first.ok).toBe(true)
  expect(await host.lock(LOCK, { who: 'pid 2', waitSeconds: 0 })).toEqual({ ok: false, heldBy: 'pid 1 on node-a' })
  expect(readFileSync(join(root, LOCK), 'utf8')).toBe('pid 1 on node-a\n')
  if (first.ok) await first.release()
  const third = await host.lock(LOCK, { who: 'pid 3', waitSeconds: 0 })
  expect(third.ok).toBe(true)
  if (third.ok) await third.release()
})

test('a process that waits gets the lock after the release', async () => {
  const host = localWriter(temporary())
  const first = await host.lock(LOCK, { who: 'a', waitSeconds: 0 })
  const second = host.lock(LOCK, { who: 'b', waitSeconds: 30 })
  if (first.ok) await first.release()
  const locked = await second
  expect(locked.ok).toBe(true)
  if (locked.ok) await locked.release()
})

test('the lock of a killed process is free', async () => {
  const root = temporary()
  const program = `
    import { localWriter } from '${NODE}'
    await localWriter('${root}').lock('${LOCK}', { who: 'the killed one', waitSeconds: 0 })
    console.log('held')
    setInterval(() => undefined, 1000)`
  const child = execFile(process.execPath, ['--input-type=module', '--eval', program])
  const ended = once(child, 'exit')
  await once(child.stdout ?? child, 'data')
  const host = localWriter(root)
  expect(await host.lock(LOCK, { who: 'b', waitSeconds: 0 })).toEqual({ ok: false, heldBy: 'the killed one' })
  child.kill('SIGKILL')
  await ended
  const locked = await host.lock(LOCK, { who: 'b', waitSeconds: 5 })
  expect(locked.ok).toBe(true)
  if (locked.ok) await locked.release()
})

test('the lock file lies inside the node, also behind links, and a failure to lock says why', async () => {
  const root = temporary({ 'var/lib': { link: '/data' }, 'data/x': '' })
  const locked = await localWriter(root).lock(LOCK, { who: 'a', waitSeconds: 0 })
  expect(existsSync(join(root, 'data/berth/lock'))).toBe(true)
  if (locked.ok) await locked.release()
  const { message } = await refusal(
    localWriter(temporary({ 'var/lib/berth/lock/x': '' })).lock(LOCK, { who: 'a', waitSeconds: 0 })
  )
  expect(message).toMatch(/^\/var\/lib\/berth\/lock cannot be written: .*[Ii]s a directory/)
})
