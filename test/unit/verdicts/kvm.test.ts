import { describe, expect, test } from 'vitest'
import type { Kvm } from '../../../src/facts/kvm.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import type { Policy } from '../../../src/verdicts/policy.ts'
import type { Answer } from '../../../src/verdicts/verdict.ts'
import { factsOf, IDEAL, policy, type Values } from '../node-facts.ts'

const judge = (changes: Partial<Values>, terms: Partial<Policy> = {}, ...unknowns: readonly (keyof Values)[]) =>
  decide(factsOf(changes, ...unknowns), policy(terms)).kvm

const kvm = (changes: Partial<Kvm>): Partial<Values> => ({ kvm: { ...IDEAL.kvm, ...changes } })
const drivenBy = (...value: readonly ('kvm_intel' | 'kvm_amd' | 'kvm_pvm')[]) => kvm({ modules: { ok: true, value } })
const node = (changes: Partial<Values['node']>): Partial<Values> => ({ node: { ...IDEAL.node, ...changes } })
const HIDDEN = { ok: false, why: '/sys/module cannot be read' } as const

test.each<[string, Partial<Values>, Answer, string]>([
  ['kvm_intel', drivenBy('kvm_intel'), 'yes', 'kvm_intel in /sys/module'],
  ['kvm_amd', drivenBy('kvm_amd'), 'yes', 'kvm_amd in /sys/module'],
  ['both', drivenBy('kvm_intel', 'kvm_amd'), 'yes', 'kvm_intel and kvm_amd in /sys/module'],
  ['no module', drivenBy(), 'no', 'neither kvm_intel nor kvm_amd is in /sys/module'],
  ['kvm_pvm', drivenBy('kvm_pvm'), 'no', 'with kvm_pvm an ordinary guest kernel does not start'],
  ['kvm_intel beside kvm_pvm', drivenBy('kvm_intel', 'kvm_pvm'), 'unknown', 'only one of them drives /dev/kvm'],
  ['hidden modules', kvm({ modules: HIDDEN }), 'unknown', '/sys/module cannot be read'],
  ['hidden modules on arm64', { ...kvm({ modules: HIDDEN }), architecture: 'arm64' }, 'yes', 'KVM is built into arm64 kernels'],
  ['riscv64', { architecture: 'riscv64' }, 'unknown', 'no rule says which module drives KVM on riscv64'],
  ['no device', kvm({ device: undefined }), 'no', '/dev/kvm is missing'],
  ['another device', kvm({ device: { number: '1:3', mode: 0o666 } }), 'no', '/dev/kvm is 1:3, not device 10:232'],
  ['a file', kvm({ device: { number: 'file', mode: 0o666 } }), 'no', '/dev/kvm is file, not device 10:232'],
  ['no device, hidden modules', kvm({ device: undefined, modules: HIDDEN }), 'no', '/dev/kvm is missing'],
  ['a plugin', node({ allocatable: { 'devices.kubevirt.io/kvm': 1000 } }), 'yes', 'offers 1000 devices.kubevirt.io/kvm'],
  ['a plugin of others', node({ allocatable: { 'x.y/kvm': 1 } }), 'no', 'the Node offers none of berth.dev/kvm, devices.kub'],
  ['Kata', node({ allocatable: {}, runtimeHandlers: ['', 'kata-fc'] }), 'yes', 'the runtime handler kata-fc'],
  ['a handler with kata in it', node({ allocatable: {}, runtimeHandlers: ['my-kata'] }), 'no', 'no runtime handler of Kata'],
  ['no handlers', node({ allocatable: {}, runtimeHandlers: undefined }), 'unknown', 'does not report its runtime handlers'],
  ['no handlers and a plugin', node({ runtimeHandlers: undefined }), 'yes', 'the Node offers 256 berth.dev/kvm']
])('with %s, microVMs are judged by the rule, and the reason has the value', (_, changes, answer, because) => {
  const verdict = judge(changes)
  expect(verdict).toMatchObject({ answer, because: expect.stringContaining(because) })
  expect(verdict.wayOut.length > 0).toBe(answer !== 'yes')
})

test('without the Node object, what is offered to pods is not judged', () => {
  const verdict = judge({}, { kvmResources: [] }, 'node')
  expect(verdict.answer).toBe('yes')
  expect(verdict.parts.map(({ name }) => name)).toEqual(['KVM device', 'KVM module'])
})

test('an unknown device or architecture is no yes', () => {
  expect(judge({}, {}, 'kvm').answer).toBe('unknown')
  expect(judge({}, {}, 'architecture')).toMatchObject({ answer: 'unknown', because: 'nobody could read architecture' })
})

test('--kvm-resources decides which resources count', () => {
  const other = node({ allocatable: { 'x.y/kvm': 1 } })
  expect(judge(other, { kvmResources: ['x.y/kvm'] }).answer).toBe('yes')
  expect(judge({}, { kvmResources: ['x.y/kvm'] }).answer).toBe('no')
  expect(judge({}, { kvmResources: [] })).toMatchObject({
    answer: 'no',
    because: '--kvm-resources is empty, and the Node reports no runtime handler of Kata'
  })
})

describe('the way out of a missing device', () => {
  const missing = kvm({ device: undefined, modules: { ok: true, value: [] } })
  const wayOut = (changes: Partial<Values>, ...unknowns: readonly (keyof Values)[]) =>
    judge({ ...missing, ...changes }, {}, ...unknowns).wayOut.join('\n')

  test('of a server is its firmware, and of a virtual machine nested virtualization', () => {
    expect(wayOut({})).toMatch(/^Enable virtualization \(VT-x or AMD-V\) in the firmware/)
    expect(wayOut({ machine: { kind: 'virtual', sign: 'KVM' } })).toMatch(/^Use bare metal nodes, or machines with nested/)
    expect(wayOut({}, 'machine')).toMatch(/firmware.* In a virtual machine, enable nested virtualization instead\./)
  })

  test('names no module of x86 on arm64', () => {
    expect(wayOut({ architecture: 'arm64' })).toMatch(/EL2/)
    expect(wayOut({ architecture: 'arm64' })).not.toMatch(/kvm_intel/)
  })
})

test('what ordinary users of a pod cannot open has a caution, and so has what Kata alone offers', () => {
  const mode = (bits: number) => judge(kvm({ device: { number: '10:232', mode: bits } })).cautions
  expect(mode(0o666)).toEqual([])
  expect(mode(0o660)).toEqual([expect.stringContaining('/dev/kvm has mode 0660')])
  expect(mode(0o664)).toEqual([expect.stringContaining('/dev/kvm has mode 0664')])
  const kata = node({ allocatable: {}, runtimeHandlers: ['kata-qemu'] })
  const closed = kvm({ device: { number: '10:232', mode: 0o600 } })
  expect(judge({ ...kata, ...closed }).cautions).toEqual([expect.stringContaining('RuntimeClass with the handler kata-qemu')])
})
