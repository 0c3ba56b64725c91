import { expect, test } from 'vitest'
import { detectKvm, kvmFact } from '../../../src/facts/kvm.ts'
import { device, directory, locked, playedHost, type Tree } from '../../nodes/played.ts'

const BASE: Tree = { '/dev': directory, '/sys/kernel': directory, '/sys/module': directory }
const detect = (tree: Tree) =>
  detectKvm({ host: playedHost({ tree } as Parameters<typeof playedHost>[0]), node: undefined, podSecurity: undefined })

test('the device has its number and mode, and a module counts whether it is loaded or built in', async () => {
  const kvm = await detect({
    ...BASE,
    '/dev/kvm': device('10:232', 0o660),
    '/sys/module/kvm_amd': directory,
    '/sys/module/kvm': directory
  })
  expect(kvm).toEqual({ device: { number: '10:232', mode: 0o660 }, modules: { ok: true, value: ['kvm_amd'] } })
  expect(kvmFact.format(kvm)).toBe('/dev/kvm 10:232 mode 0660, kvm_amd')
})

test('a file in its place is told by its kind', async () => {
  expect(await detect({ ...BASE, '/dev/kvm': '' })).toMatchObject({ device: { number: 'file' } })
})

test('a device that does not exist is known, and one that cannot be looked at is not', async () => {
  expect(await detect(BASE)).toEqual({ device: undefined, modules: { ok: true, value: [] } })
  await expect(detect({ ...BASE, '/dev': locked('EACCES') })).rejects.toThrow('/dev/kvm cannot be read')
  await expect(detect({ '/sys/kernel': directory })).rejects.toThrow('/dev of the node is not mounted')
})

test('the device is known where the modules are not: /sys is not mounted, or may not be entered', async () => {
  const hidden = await detect({ ...BASE, '/sys/module': locked('EACCES') })
  expect(hidden).toMatchObject({ device: undefined, modules: { ok: false, why: expect.stringContaining('EACCES') } })
  expect(kvmFact.format(hidden)).toMatch(/^no \/dev\/kvm, modules unknown: /)
  expect(await detect({ '/dev': directory })).toMatchObject({
    modules: { ok: false, why: '/sys/kernel is missing: /sys of the node is not mounted below the host root' }
  })
})
