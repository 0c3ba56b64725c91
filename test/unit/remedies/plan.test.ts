import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FactName } from '../../../src/facts/observe.ts'
import { PERMITS, type PlanTerms, REMEDIES, type RemedyName } from '../../../src/remedies/all.ts'
import { type PlanStep, plan } from '../../../src/remedies/plan.ts'
import { distro, factsOf, IDEAL, modules, policy, type Values } from '../node-facts.ts'

const terms = (changes: Partial<PlanTerms> = {}): PlanTerms => ({
  permits: [],
  maxUserNamespaces: 65_536,
  policy: policy(),
  ...changes
})
const step = (remedy: RemedyName, changes: Partial<Values>, more: Partial<PlanTerms> = {}, ...unknowns: readonly FactName[]) =>
  plan(factsOf(changes, ...unknowns), terms(more)).find(found => found.remedy === remedy) as PlanStep

const NO_NAMESPACES = { 'user-namespaces': { compiled: true, max: 0, unprivileged: true } }
const BOTTLEROCKET = { ...NO_NAMESPACES, distro: distro('bottlerocket', '1.47.0') }
const shiftfs = (state: Values['shiftfs']['state']) => ({ shiftfs: { ...IDEAL.shiftfs, state } })

describe('more user namespaces', () => {
  test.each<[string, Partial<Values>, Partial<PlanTerms>, PlanStep['decision']]>([
    ['are not needed where there are some', {}, { permits: PERMITS }, 'not-needed'],
    ['are forbidden without a permit', BOTTLEROCKET, {}, 'forbidden'],
    ['are made on Bottlerocket with its permit', BOTTLEROCKET, { permits: ['user-namespaces'] }, 'apply'],
    ['are not made on Bottlerocket with another permit', BOTTLEROCKET, { permits: ['shiftfs'] }, 'forbidden'],
    ['are not made elsewhere with that permit', NO_NAMESPACES, { permits: ['user-namespaces'] }, 'forbidden'],
    ['are made elsewhere with the wider one', NO_NAMESPACES, { permits: ['user-namespaces-anywhere'] }, 'apply'],
    [
      'cannot be made in a kernel without them',
      { 'user-namespaces': { compiled: false, max: 0, unprivileged: false } },
      { permits: PERMITS },
      'blocked'
    ]
  ])('%s', (_, changes, more, decision) => {
    expect(step('user-namespaces', changes, more).decision).toBe(decision)
  })

  const LOW = { inotify: { watches: 65_536, instances: 8_192 }, 'namespace-limits': { mnt: 15_000, pid: 15_000 } }
  test.each<[string, Partial<Values>, Partial<PlanTerms>, PlanStep['decision'], RegExp]>([
    [
      'with the further limits that are lower',
      { ...BOTTLEROCKET, ...LOW },
      { permits: ['user-namespaces'] },
      'apply',
      /max_user_namespaces from 0 to 65536, user.max_mnt_namespaces from 15000 to 20000, .*, fs.inotify.max_user_watches from 65536 to 1048576$/
    ],
    [
      'the further limits alone',
      { distro: distro('bottlerocket', '1.47.0'), ...LOW },
      { permits: ['user-namespaces'] },
      'apply',
      /^raise user.max_mnt_namespaces from 15000 to 20000/
    ],
    [
      'the further limits alone without a permit, which nobody is asked for',
      { distro: distro('bottlerocket', '1.47.0'), ...LOW },
      {},
      'not-needed',
      /65536/
    ],
    ['the further limits elsewhere', LOW, { permits: PERMITS }, 'not-needed', /65536/],
    ['elsewhere without the further limits', { ...NO_NAMESPACES, ...LOW }, { permits: PERMITS }, 'apply', /from 0 to 65536$/]
  ])('%s', (_, changes, more, decision, because) => {
    expect(step('user-namespaces', changes, more)).toMatchObject({ decision, because: expect.stringMatching(because) })
  })

  const some = (max: number) => ({ 'user-namespaces': { compiled: true, max, unprivileged: true } })
  test.each<[string, Partial<Values>, Partial<PlanTerms>, PlanStep['decision'], string]>([
    [
      'fewer than wanted',
      some(1000),
      { permits: ['user-namespaces-anywhere'] },
      'apply',
      'raise user.max_user_namespaces from 1000 to 65536'
    ],
    ['fewer than wanted, without a permit', some(1000), {}, 'not-needed', 'user.max_user_namespaces is 1000'],
    [
      'fewer than wanted, on a distribution that nobody knows',
      some(1000),
      { permits: PERMITS },
      'not-needed',
      'user.max_user_namespaces is 1000'
    ],
    [
      'written while the API was away',
      { distro: distro('bottlerocket', '1.47.0') },
      { permits: ['user-namespaces'], unstored: ['user.max_user_namespaces'] },
      'apply',
      'store user.max_user_namespaces through the Bottlerocket API, which was unavailable'
    ],
    [
      'written elsewhere',
      {},
      { permits: PERMITS, unstored: ['user.max_user_namespaces'] },
      'not-needed',
      'user.max_user_namespaces is 65536'
    ]
  ])('that are %s', (what, changes, more, decision, because) => {
    const unknowns: readonly FactName[] = what.includes('nobody knows') ? ['distro'] : []
    expect(step('user-namespaces', changes, more, ...unknowns)).toMatchObject({ decision, because })
  })

  test('do not include further limits that could not be read', () => {
    const { because } = step('user-namespaces', { ...BOTTLEROCKET, ...LOW }, {}, 'inotify', 'namespace-limits')
    expect(because).toBe('would raise user.max_user_namespaces from 0 to 65536; permit it with --permit user-namespaces')
  })

  test('are not planned where the limit or the distribution is not known', () => {
    expect(step('user-namespaces', BOTTLEROCKET, { permits: PERMITS }, 'user-namespaces').decision).toBe('blocked')
    expect(step('user-namespaces', BOTTLEROCKET, { permits: PERMITS }, 'distro').decision).toBe('blocked')
  })

  test('name the numbers and the missing permit', () => {
    expect(step('user-namespaces', BOTTLEROCKET, { maxUserNamespaces: 1234 }).because).toMatch(
      /from 0 to 1234.*--permit user-namespaces$/
    )
  })
})

describe('shiftfs', () => {
  test.each<[string, Partial<Values>, Partial<PlanTerms>, PlanStep['decision']]>([
    ['is not needed where it is loaded', shiftfs('loaded'), { permits: PERMITS }, 'not-needed'],
    ['is forbidden without a permit', shiftfs('buildable'), {}, 'forbidden'],
    ['is built with a permit', shiftfs('buildable'), { permits: ['shiftfs'] }, 'apply'],
    ['is loaded with a permit', shiftfs('loadable'), { permits: ['shiftfs'] }, 'apply'],
    [
      'is not built outside Ubuntu',
      { ...shiftfs('buildable'), distro: distro('debian', '12') },
      { permits: ['shiftfs'] },
      'forbidden'
    ],
    [
      'is not loaded outside Ubuntu',
      { ...shiftfs('loadable'), distro: distro('debian', '12') },
      { permits: ['shiftfs'] },
      'forbidden'
    ],
    [
      'is built outside Ubuntu when both are permitted',
      { ...shiftfs('buildable'), distro: distro('debian', '12') },
      { permits: ['shiftfs'], policy: policy({ shiftfsOutsideUbuntu: 'allow' }) },
      'apply'
    ],
    [
      'is not built by the policy alone',
      { ...shiftfs('buildable'), distro: distro('debian', '12') },
      { policy: policy({ shiftfsOutsideUbuntu: 'allow' }) },
      'forbidden'
    ],
    ['is not mended where it is broken', shiftfs('broken'), { permits: PERMITS }, 'blocked'],
    [
      'is not built where something stands against it',
      { ...shiftfs('absent'), 'secure-boot': 'on' },
      { permits: PERMITS },
      'blocked'
    ]
  ])('%s', (_, changes, more, decision) => {
    expect(step('shiftfs', changes, more).decision).toBe(decision)
  })

  const DEBIAN = { distro: distro('debian', '12') }
  const ALLOWED = { policy: policy({ shiftfsOutsideUbuntu: 'allow' }) } as const

  test('is forbidden and names everything that the operator has to allow', () => {
    const { decision, because } = step('shiftfs', { ...shiftfs('buildable'), ...DEBIAN }, { cannotBuild: 'no source was given' })
    expect(decision).toBe('forbidden')
    expect(because).toBe(
      'would build shiftfs with the kernel headers and load it; permit it with --permit shiftfs; ' +
        "outside Ubuntu's kernels shiftfs lets a user in a container crash the node; " +
        'accept that with --shiftfs-outside-ubuntu allow; no source was given'
    )
    expect(step('shiftfs', { ...shiftfs('loadable'), ...DEBIAN }, { ...ALLOWED, cannotBuild: 'no source' }).because).toBe(
      'would load the module shiftfs; permit it with --permit shiftfs'
    )
  })

  test('is blocked if the helper cannot build, and a module that exists is still loaded', () => {
    const terms = { permits: ['shiftfs'], cannotBuild: 'no source was given' } as const
    expect(step('shiftfs', shiftfs('buildable'), terms)).toMatchObject({ decision: 'blocked', because: 'no source was given' })
    expect(step('shiftfs', shiftfs('loadable'), terms).decision).toBe('apply')
  })

  test('is not planned where its state or the distribution is not known', () => {
    expect(step('shiftfs', shiftfs('buildable'), { permits: PERMITS }, 'shiftfs').decision).toBe('blocked')
    expect(step('shiftfs', shiftfs('buildable'), { permits: PERMITS }, 'distro').decision).toBe('blocked')
  })
})

/** A node on which neither fuse nor nf_conntrack was loaded, and what modprobe would make of that. */
const withoutModules = (state: 'loadable' | 'blocked' | 'absent'): Partial<Values> => ({
  fuse: { registered: false, device: undefined },
  conntrack: false,
  'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules({ fuse: state, nf_conntrack: state }) }
})

describe('modules', () => {
  test.each<
    [what: string, changes: Partial<Values>, permits: readonly string[], decision: PlanStep['decision'], because: RegExp]
  >([
    ['are not needed where they are there', {}, ['modules'], 'not-needed', /fuse and nf_conntrack/],
    ['are loaded where they may be', withoutModules('loadable'), ['modules'], 'apply', /^load fuse and nf_conntrack$/],
    ['are not loaded without their permit', withoutModules('loadable'), ['shiftfs'], 'forbidden', /--permit modules/],
    ['are not loaded against modprobe.d', withoutModules('blocked'), ['modules'], 'blocked', /^fuse: .*; nf_conntrack: /],
    ['are not loaded where the node has none', withoutModules('absent'), ['modules'], 'blocked', /as the test says/],
    [
      'are loaded one by one, and what keeps the other away is said',
      {
        ...withoutModules('blocked'),
        'kernel-modules': { ...IDEAL['kernel-modules'], modules: modules({ fuse: 'loadable', nf_conntrack: 'blocked' }) }
      },
      ['modules'],
      'apply',
      /^load fuse; nf_conntrack: /
    ]
  ])('%s', (_, changes, permits, decision, because) => {
    expect(step('modules', changes, { permits })).toEqual({
      remedy: 'modules',
      decision,
      because: expect.stringMatching(because)
    })
  })

  test('are not loaded if it is unknown whether they can be', () => {
    expect(step('modules', withoutModules('loadable'), { permits: PERMITS }, 'kernel-modules').decision).toBe('blocked')
  })
})

test('without a journal every permitted remedy is blocked with that reason, and the other decisions stay', () => {
  const changes = { ...NO_NAMESPACES, ...shiftfs('loadable'), ...withoutModules('loadable') }
  const terms = { permits: PERMITS, cannotAct: 'the journal is broken' } as const
  for (const name of REMEDIES) {
    expect(step(name, changes, terms)).toEqual({ remedy: name, decision: 'blocked', because: 'the journal is broken' })
    expect(step(name, {}, terms).decision).toBe('not-needed')
    expect(step(name, changes, { ...terms, permits: [] }).decision).toBe('forbidden')
  }
})

test('every remedy has one step with a reason, and nothing is ever applied without a permit', () => {
  const states = fc.constantFrom<Values['shiftfs']['state']>('loaded', 'loadable', 'buildable', 'absent', 'broken')
  const ids = fc.constantFrom('ubuntu', 'debian', 'bottlerocket')
  fc.assert(
    fc.property(
      states,
      ids,
      fc.nat(1),
      fc.subarray([...PERMITS]),
      fc.subarray<FactName>(['distro', 'shiftfs', 'user-namespaces', 'lockdown']),
      (state, id, max, permits, unknowns) => {
        const facts = factsOf(
          {
            ...shiftfs(state),
            distro: distro(id),
            'user-namespaces': { compiled: true, max, unprivileged: true },
            'secure-boot': 'on'
          },
          ...unknowns
        )
        const steps = plan(facts, terms({ permits }))
        expect(steps.map(({ remedy }) => remedy)).toEqual([...REMEDIES])
        for (const { because } of steps) expect(because).not.toBe('')
        expect(plan(facts, terms()).filter(({ decision }) => decision === 'apply')).toEqual([])
      }
    )
  )
})
