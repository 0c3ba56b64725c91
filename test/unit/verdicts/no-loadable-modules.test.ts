import { describe, expect, test } from 'vitest'
import { decide } from '../../../src/verdicts/decide.ts'
import type { Verdict } from '../../../src/verdicts/verdict.ts'
import { snapshotOf } from '../../support/recorded-snapshot.ts'
import { factsOf, modules, policy } from '../node-facts.ts'

const OTHER_KERNEL = 'Boot a kernel with loadable modules.'

/** A kernel that holds nothing of what it does not need to boot, with a Sysbox installed. */
const BARE = factsOf({
  'kernel-modules': {
    supported: false,
    modules: modules({ fuse: 'absent', veth: 'absent', nf_tables: 'absent', xt_addrtype: 'absent', ip_tables: 'absent' }),
    shiftfs: { registered: false, outOfTree: false, blockedBy: '' }
  },
  fuse: { registered: false, device: undefined },
  conntrack: false
})

describe('a kernel without loadable modules', () => {
  test('leaves a CVM one way out, on the recorded node: no package and no modprobe helps there', async () => {
    const { cvm } = (await snapshotOf('no-modules')).verdicts
    expect(cvm.answer).toBe('no')
    expect(cvm.wayOut).toEqual([OTHER_KERNEL])
  })

  test.each(['cvm', 'podman', 'sysbox'] as const)('leaves %s that way out for whatever module is missing', capability => {
    const { answer, wayOut } = decide(BARE, policy())[capability] as Verdict
    expect([answer, wayOut]).toEqual(['no', [OTHER_KERNEL]])
  })

  test('that could load them has the package that contains a missing one for a way out', () => {
    const { cvm } = decide(factsOf({ 'kernel-modules': { ...ABLE, modules: modules({ veth: 'absent' }) } }), policy())
    expect(cvm.wayOut).toEqual(['Install the kernel package that contains veth (Ubuntu: linux-modules-extra).'])
  })
})

const ABLE = { supported: true, shiftfs: { registered: true, outOfTree: false, blockedBy: '' } } as const
