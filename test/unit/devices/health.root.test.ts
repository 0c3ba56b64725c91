import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deviceReader, healthOf } from '../../../src/devices/health.ts'
import { KINDS } from '../../../src/devices/kinds.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-dev-'))
  mkdirSync(join(root, 'dev/net'), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true }))

const whyNot = (kind: keyof typeof KINDS) => healthOf(KINDS[kind], deviceReader(root)).why
const make = (path: string, ...numbers: readonly string[]) => execa('mknod', [join(root, path), 'c', ...numbers])

test('a device node is what it is, from its making to its removal', async () => {
  const fuse = join(root, 'dev/fuse')
  expect(whyNot('fuse')).toBe('/dev/fuse is missing')
  await make('dev/fuse', '10', '229')
  chmodSync(fuse, 0o600)
  expect(whyNot('fuse')).toBe('/dev/fuse has mode 0600, so other users cannot open it; give it 0666')
  chmodSync(fuse, 0o666)
  expect(whyNot('fuse')).toBe('')
  rmSync(fuse)
  expect(whyNot('fuse')).toBe('/dev/fuse is missing')
  await make('dev/fuse', '10', '230')
  expect(whyNot('fuse')).toBe('/dev/fuse is not the character device 10:229')
  rmSync(fuse)
  writeFileSync(fuse, '')
  expect(whyNot('fuse')).toBe('/dev/fuse is not the character device 10:229')
  rmSync(fuse)
  symlinkSync('fuse', fuse)
  expect(whyNot('fuse')).toMatch(/^\/dev\/fuse cannot be read: ELOOP/)
})

test('the mode of kvm and tun is left to the pod', async () => {
  await make('dev/kvm', '10', '232')
  await make('dev/net/tun', '10', '200')
  chmodSync(join(root, 'dev/kvm'), 0o660)
  chmodSync(join(root, 'dev/net/tun'), 0o600)
  expect([whyNot('kvm'), whyNot('tun')]).toEqual(['', ''])
})
