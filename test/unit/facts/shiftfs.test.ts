import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FactName } from '../../../src/facts/observe.ts'
import { buildObstacles, deriveShiftfs, hasShiftfsSource, shiftfsTrials } from '../../../src/facts/shiftfs.ts'
import { distro, factsOf, IDEAL, kernel, modules, proofs, type Values } from '../node-facts.ts'

describe('a source of shiftfs', () => {
  test.each([
    ['5.3.18', false],
    ['5.4.0', true],
    ['5.8.18', true],
    ['5.9.16', false],
    ['5.10.127+', true],
    ['5.11.0', true],
    ['5.12.19', false],
    ['5.13.0', true],
    ['5.15.0-1084-aws', true],
    ['5.19.17', true],
    ['5.20.0', false],
    ['6.0.19', false],
    ['6.1.66', true],
    ['6.2.16', true],
    ['6.3.0', false],
    ['6.8.0-41-generic', false],
    ['6.10.0', false],
    ['6.11.0', false],
    ['6.19.0', false],
    ['7.1.0', false],
    ['4.19.0', false],
    ['50.4.0', false]
  ])('for %s: %s', (release, there) => {
    expect(hasShiftfsSource(kernel(release))).toBe(there)
  })

  test('is found by version numbers, only for the listed kernels', () => {
    const listed = new Set('5.4 5.5 5.6 5.7 5.8 5.10 5.11 5.13 5.14 5.15 5.16 5.17 5.18 5.19 6.1 6.2'.split(' '))
    fc.assert(
      fc.property(fc.nat(12), fc.nat(40), (major, minor) => {
        expect(hasShiftfsSource({ release: `${major}.${minor}`, major, minor })).toBe(listed.has(`${major}.${minor}`))
      })
    )
  })
})

/** Nothing of shiftfs is there, and everything to build it is. */
const NONE: Partial<Values> = {
  'kernel-modules': {
    supported: true,
    modules: modules({ shiftfs: 'absent' }),
    shiftfs: { registered: false, outOfTree: undefined, blockedBy: '' }
  }
}
const derive = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]) =>
  deriveShiftfs(factsOf({ ...NONE, ...changes }, ...unknowns))
const stateOf = (changes: Partial<Values> = {}, ...unknowns: readonly FactName[]) => {
  const fact = derive(changes, ...unknowns)
  return fact.known ? fact.value.state : 'unknown'
}
const headers = (changes: Partial<Values['headers']>): Partial<Values> => ({ headers: { ...IDEAL.headers, ...changes } })
const module = (state: 'present' | 'loadable' | 'absent' | 'unknown', registered = false): Partial<Values> => ({
  'kernel-modules': {
    supported: true,
    modules: modules({ shiftfs: state }),
    shiftfs: { registered, outOfTree: false, blockedBy: '' }
  }
})

describe('shiftfs', () => {
  test.each<[string, Partial<Values>, string]>([
    ['loaded', module('present'), 'loaded'],
    ['registered', module('absent', true), 'loaded'],
    ['loadable', module('loadable'), 'loadable'],
    ['not known', module('unknown'), 'unknown'],
    ['buildable', {}, 'buildable'],
    ['buildable without EFI or lockdown', { lockdown: 'absent' }, 'buildable'],
    ['absent with Secure Boot', { 'secure-boot': 'on' }, 'absent'],
    ['absent in lockdown', { lockdown: 'integrity' }, 'absent'],
    ['absent in full lockdown', { lockdown: 'confidentiality' }, 'absent'],
    ['absent where modules must be signed', { 'module-signatures': true }, 'absent'],
    ['absent under LoadPin', { loadpin: true }, 'absent'],
    ['absent where nothing is loaded', { 'module-switch': { disabled: true } }, 'absent'],
    ['absent in a kernel that has no source', { kernel: kernel('6.8.0-41-generic') }, 'absent'],
    ['absent without headers', headers({ directory: '', missing: ['Makefile'] }), 'absent'],
    ['absent with half the headers', headers({ missing: ['Module.symvers'] }), 'absent'],
    ['absent on 5.15 without is_idmapped_mnt', headers({ isIdmappedMnt: false }), 'absent'],
    [
      'buildable on 5.13 without is_idmapped_mnt',
      { kernel: kernel('5.13.0'), ...headers({ isIdmappedMnt: false }) },
      'buildable'
    ],
    ['absent on 5.10 with renamedata', { kernel: kernel('5.10.237'), ...headers({ renamedata: true }) }, 'absent'],
    ['buildable on 5.10 without renamedata', { kernel: kernel('5.10.127+') }, 'buildable'],
    ['buildable on 5.19 with renamedata', { kernel: kernel('5.19.0'), ...headers({ renamedata: true }) }, 'buildable']
  ])('is %s', (_, changes, state) => {
    expect(stateOf(changes)).toBe(state)
  })

  test('that is blacklisted is not built', () => {
    const found = {
      ...module('absent'),
      'kernel-modules': {
        supported: true,
        modules: modules({ shiftfs: 'absent' as const }),
        shiftfs: { registered: false, outOfTree: undefined, blockedBy: 'shiftfs is blacklisted in /x' }
      }
    }
    expect(derive(found)).toMatchObject({ value: { state: 'absent', because: expect.stringContaining('blacklisted in /x') } })
  })

  test.each<FactName>(['module-switch', 'secure-boot', 'lockdown', 'module-signatures', 'loadpin', 'headers'])(
    'with unknown %s is not buildable',
    name => {
      expect(derive({}, name)).toMatchObject({
        value: { state: 'absent', because: expect.stringContaining(`nobody could read ${name}`) }
      })
    }
  )

  test('is unknown without the kernel or its modules', () => {
    expect(stateOf({}, 'kernel')).toBe('unknown')
    expect(stateOf({}, 'kernel-modules')).toBe('unknown')
  })

  test('is never buildable while anything prevents it', () => {
    const gate = fc.record<Partial<Values>>(
      {
        'secure-boot': fc.constantFrom('on', 'off'),
        lockdown: fc.constantFrom('none', 'absent', 'integrity', 'confidentiality'),
        'module-signatures': fc.boolean(),
        loadpin: fc.boolean(),
        'module-switch': fc.boolean().map(disabled => ({ disabled })),
        kernel: fc.constantFrom('5.4.0', '5.10.0', '5.15.0', '6.8.0').map(kernel)
      },
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(
        gate,
        fc.subarray<FactName>(['headers', 'secure-boot', 'lockdown', 'loadpin', 'module-signatures', 'module-switch']),
        (changes, unknowns) => {
          const obstacles = buildObstacles(factsOf({ ...NONE, ...changes }, ...unknowns))
          expect(stateOf(changes, ...unknowns)).toBe(obstacles.length === 0 ? 'buildable' : 'absent')
          if (unknowns.length > 0) expect(obstacles.length).toBeGreaterThanOrEqual(unknowns.length)
        }
      )
    )
  })

  test.each([
    // As Ubuntu's own file says it.
    ['5.15.0-47-generic', 'ubuntu', '5.15.46', false],
    ['5.15.0-48-generic', 'ubuntu', '5.15.53', true],
    ['5.15.0-67-generic', 'ubuntu', '5.15.85', true],
    ['5.15.0-69-generic', 'ubuntu', '5.15.87', false],
    ['5.15.0-1028-gke', 'ubuntu', '5.15.78', true],
    ['5.15.0-1061-gke', 'ubuntu', '5.15.152', false],
    ['5.15.0-1013-aws', 'ubuntu', '5.15.51', false],
    ['6.2.0-26-generic', 'ubuntu', '6.2.13', false],
    // Without that file, by the generic kernel's numbers; those of the clouds say nothing.
    ['5.15.0-47-generic', 'ubuntu', '', false],
    ['5.15.0-48-generic', 'ubuntu', '', true],
    ['5.15.0-67-lowlatency', 'ubuntu', '', true],
    ['5.15.0-68-generic', 'ubuntu', '', false],
    ['5.15.0-480-generic', 'ubuntu', '', false],
    ['5.15.0-1028-gke', 'ubuntu', '', true],
    // Other distributions name the upstream version, and have no mended shiftfs.
    ['5.15.51-flatcar', 'flatcar', '', false],
    ['5.15.52-0-lts', 'alpine', '', true],
    ['5.15.133+', 'flatcar', '', true],
    ['5.15.0-50-generic', 'debian', '', false],
    ['5.17.5', 'ubuntu', '', true],
    ['5.17.5-76051705-generic', 'pop', '', true],
    ['5.17.50', 'ubuntu', '', false],
    ['5.17.6', 'ubuntu', '', false],
    ['6.5.17.5', 'ubuntu', '', false],
    ['6.5.15.0-50-generic', 'ubuntu', '', false]
  ])('of %s on %s, upstream "%s", is suspect: %s', (release, id, upstream, suspect) => {
    const facts = { ...module('loadable'), kernel: kernel(release), distro: distro(id), 'upstream-kernel': upstream }
    expect(derive(facts)).toMatchObject({ value: { suspect } })
  })

  test('is suspect if the distribution or the upstream version could not be read', () => {
    const on = (release: string, ...unknowns: readonly FactName[]) =>
      deriveShiftfs(factsOf({ ...module('loadable'), kernel: kernel(release), distro: distro('ubuntu') }, ...unknowns))
    expect(on('5.15.0-1028-gke', 'upstream-kernel')).toMatchObject({ value: { suspect: true } })
    expect(on('5.15.0-50-generic', 'distro', 'upstream-kernel')).toMatchObject({ value: { suspect: true } })
    expect(on('5.15.60', 'distro', 'upstream-kernel')).toMatchObject({ value: { suspect: true } })
    expect(on('5.15.0-91-generic', 'distro', 'upstream-kernel')).toMatchObject({ value: { suspect: false } })
  })

  test('has its origin', () => {
    const outOfTree = {
      'kernel-modules': { supported: true, modules: modules(), shiftfs: { registered: true, outOfTree: true, blockedBy: '' } }
    }
    expect(derive(outOfTree)).toMatchObject({ value: { state: 'loaded', outOfTree: true } })
  })
})

describe('why shiftfs is what it is', () => {
  const modulesOf = (changes: Partial<Values['kernel-modules']>): Partial<Values> => ({
    'kernel-modules': { supported: true, modules: modules({ shiftfs: 'absent' }), shiftfs: ORIGIN, ...changes }
  })
  const ORIGIN = { registered: false, outOfTree: undefined, blockedBy: '' }

  test.each<[string, Partial<Values>, string]>([
    ['it could be built', {}, 'as the test says; it can be built with the installed kernel headers'],
    ['no modules', modulesOf({ supported: false }), 'it cannot be built: the kernel has no loadable modules'],
    ['no loading', { 'module-switch': { disabled: true } }, 'module loading is disabled (kernel.modules_disabled or nomodule)'],
    ['Secure Boot', { 'secure-boot': 'on' }, 'it cannot be built: Secure Boot is on'],
    ['lockdown', { lockdown: 'integrity' }, 'it cannot be built: kernel lockdown is "integrity"'],
    ['signatures', { 'module-signatures': true }, 'the kernel accepts only signed modules (sig_enforce)'],
    ['LoadPin', { loadpin: true }, "LoadPin allows only modules from the node's own image"],
    ['no source', { kernel: kernel('6.8.0') }, 'there is no shiftfs source for kernel 6.8'],
    ['no headers', headers({ directory: '' }), 'the kernel headers of 5.15.0-116-generic are not installed'],
    [
      'half the headers',
      headers({ directory: '/usr/src/x', missing: ['Makefile', 'scripts/mod/modpost'] }),
      'the kernel headers in /usr/src/x are incomplete (no Makefile, scripts/mod/modpost)'
    ],
    ['an old 5.15', headers({ isIdmappedMnt: false }), 'this 5.15 kernel has no is_idmapped_mnt'],
    ['a new 5.10', { kernel: kernel('5.10.237'), ...headers({ renamedata: true }) }, 'this 5.10 kernel has struct renamedata']
  ])('is explained: %s', (_, changes, because) => {
    expect(derive(changes)).toMatchObject({ value: { because: expect.stringContaining(because) } })
  })

  test('is the first obstacle of several, and all of them are counted', () => {
    const facts = factsOf({ ...NONE, 'secure-boot': 'on', lockdown: 'integrity', ...headers({ directory: '' }) }, 'loadpin')
    expect(buildObstacles(facts)).toEqual([
      'Secure Boot is on',
      'kernel lockdown is "integrity"',
      'unknown: nobody could read loadpin',
      'the kernel headers of 5.15.0-116-generic are not installed'
    ])
  })

  test('does not count the headers of an unknown kernel twice', () => {
    expect(buildObstacles(factsOf(NONE, 'kernel'))).toEqual(['unknown: nobody could read kernel'])
  })

  test('has only the files about modules and file systems as evidence', () => {
    const fact = factsOf(module('loadable'))
    const evidence = ['/proc/modules', '/proc/filesystems', '/lib/modules/5.15.0/modules.dep', '/proc/cmdline'].map(source => ({
      source,
      saw: ''
    }))
    const found = deriveShiftfs({ ...fact, 'kernel-modules': { ...fact['kernel-modules'], evidence } })
    expect(found.evidence.map(({ source }) => source)).toEqual([
      '/proc/modules',
      '/proc/filesystems',
      '/lib/modules/5.15.0/modules.dep'
    ])
  })
})

test.each([
  ['6.10.0', { renamedata: true }],
  ['6.15.0', { isIdmappedMnt: false }]
])('the content of a 5.10 or 5.15 header does not matter on %s', (release, changes) => {
  expect(buildObstacles(factsOf({ ...NONE, kernel: kernel(release), ...headers(changes) }))).toEqual([
    `there is no shiftfs source for kernel ${release.slice(0, 4)}`
  ])
})

test('the trials of shiftfs are summarized: whether all worked, the first that failed, the first that was untried', () => {
  const told = (outcomes: Parameters<typeof proofs>[0]) => {
    const { works, failed, untried } = shiftfsTrials(proofs(outcomes))
    return [works, failed?.because, untried?.because]
  }
  expect(told({})).toEqual([false, undefined, 'nothing was tried'])
  expect(told({ 'shiftfs-on-disk': 'works' })).toEqual([false, undefined, 'nothing was tried'])
  expect(told({ 'shiftfs-on-disk': 'works', 'shiftfs-on-overlay': 'works' })).toEqual([true, undefined, undefined])
  expect(told({ 'shiftfs-on-disk': 'works', 'shiftfs-on-overlay': 'fails' })).toEqual([
    false,
    'shiftfs-on-overlay was seen',
    undefined
  ])
})
