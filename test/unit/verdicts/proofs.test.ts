import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Proof, TRIALS, type TrialName } from '../../../src/facts/proofs.ts'
import { deriveShiftfs } from '../../../src/facts/shiftfs.ts'
import { judgeCachedCvm } from '../../../src/verdicts/cached-cvm.ts'
import { judgeCvm } from '../../../src/verdicts/cvm.ts'
import { decide } from '../../../src/verdicts/decide.ts'
import { judgeSysbox } from '../../../src/verdicts/sysbox.ts'
import type { Answer, Verdict } from '../../../src/verdicts/verdict.ts'
import { answers, distro, factsOf, IDEAL, kernel, modules, policy, proofs, storage, type Values } from '../node-facts.ts'

type Outcomes = Partial<Record<TrialName, Proof['outcome']>>

const part = (verdict: Verdict, name: string): Verdict | undefined =>
  verdict.name === name ? verdict : verdict.parts.map(inner => part(inner, name)).find(found => found !== undefined)

const cvm = (changes: Partial<Values>, outcomes: Outcomes) =>
  judgeCvm(factsOf({ ...changes, proofs: proofs(outcomes) }), policy())

describe('ID-mapped mounts', () => {
  const EL9 = { kernel: kernel('5.14.0-162.6.1.el9_1.x86_64'), distro: distro('rocky', '9.1') }
  const on = (release: string) => ({ kernel: kernel(release) })

  test.each<[string, Partial<Values>, Outcomes, Answer]>([
    ['believed by version', on('6.1.66'), {}, 'yes'],
    ['proved', on('6.1.66'), { 'id-mapped-mount': 'works' }, 'yes'],
    ['disproved', on('6.1.66'), { 'id-mapped-mount': 'fails' }, 'no'],
    ['switched off on EL 9, perhaps', EL9, {}, 'unknown'],
    ['switched on on EL 9', EL9, { 'id-mapped-mount': 'works' }, 'yes'],
    ['switched off on EL 9', EL9, { 'id-mapped-mount': 'fails' }, 'no'],
    ['not needed before 5.12', on('5.11.0'), { 'id-mapped-mount': 'fails', 'overlay-on-id-mapped': 'fails' }, 'yes'],
    ['disproved from 5.12 on', on('5.12.0'), { 'id-mapped-mount': 'fails' }, 'no'],
    ['without overlayfs before 5.19', on('5.18.0'), { 'id-mapped-mount': 'works', 'overlay-on-id-mapped': 'fails' }, 'yes'],
    ['without overlayfs from 5.19 on', on('5.19.0'), { 'id-mapped-mount': 'works', 'overlay-on-id-mapped': 'fails' }, 'no'],
    ['without overlayfs, the rest untried', on('6.8.0'), { 'overlay-on-id-mapped': 'fails' }, 'no'],
    ['with overlayfs', on('6.8.0'), { 'id-mapped-mount': 'works', 'overlay-on-id-mapped': 'works' }, 'yes']
  ])('%s', (_, changes, outcomes, answer) => {
    const verdict = cvm(changes, outcomes)
    const found = part(verdict, 'ID-mapped mounts')
    expect(found?.answer).toBe(answer)
    expect(verdict.answer).toBe(answer)
    if (answer === 'no') expect(found?.wayOut.join()).toMatch(/kernel/)
  })

  test('have the result of the trial as reason, and name it as a fact', () => {
    const found = (outcomes: Outcomes) => part(cvm(on('6.1.66'), outcomes), 'ID-mapped mounts')
    expect(found({ 'id-mapped-mount': 'works' })).toMatchObject({
      because: 'a trial mount worked: id-mapped-mount was seen',
      facts: ['kernel', 'proofs']
    })
    expect(found({ 'id-mapped-mount': 'fails' })?.because).toBe('a trial mount failed: id-mapped-mount was seen')
    expect(found({})).toMatchObject({ because: 'kernel 6.1.66 has ID-mapped mounts', facts: ['kernel'] })
  })

  test('are unknown if the proofs are', () => {
    const found = (release: string) => part(judgeCvm(factsOf(on(release), 'proofs'), policy()), 'ID-mapped mounts')
    expect(found('6.1.66')?.answer).toBe('unknown')
    expect(found('5.10.0')?.answer).toBe('yes')
  })
})

describe('the disk of the workspaces', () => {
  test.each<[string, string, Outcomes, Answer]>([
    ['zfs', '6.1.0', {}, 'unknown'],
    ['zfs', '6.1.0', { 'id-mapped-mount': 'works' }, 'yes'],
    ['zfs', '6.1.0', { 'id-mapped-mount': 'fails' }, 'no'],
    ['ext2', '5.15.0', { 'id-mapped-mount': 'fails' }, 'no'],
    ['btrfs', '5.14.0', { 'id-mapped-mount': 'works' }, 'yes'],
    ['f2fs', '5.12.0', { 'id-mapped-mount': 'works' }, 'yes'],
    ['zfs', '5.11.0', { 'id-mapped-mount': 'fails' }, 'yes'],
    ['tmpfs', '6.8.0', { 'id-mapped-mount': 'works' }, 'no'],
    ['nfs', '6.8.0', { 'id-mapped-mount': 'works' }, 'no'],
    ['overlay', '6.8.0', { 'id-mapped-mount': 'works' }, 'no']
  ])('%s on %s, tried %j: %s', (type, release, outcomes, answer) => {
    const found = part(cvm({ storage: storage({ type }), kernel: kernel(release) }, outcomes), 'data file system')
    expect(found?.answer).toBe(answer)
    expect(found?.because).toContain(type)
  })

  test('names the trial as a fact only if it decided', () => {
    const facts = (type: string) =>
      part(cvm({ storage: storage({ type }) }, { 'id-mapped-mount': 'works' }), 'data file system')?.facts
    expect(facts('zfs')).toEqual(['storage', 'kernel', 'proofs'])
    expect(facts('ext4')).toEqual(['storage', 'kernel'])
  })

  test.each<[string, string, Answer]>([
    ['/', 'works', 'yes'],
    ['/', 'fails', 'no'],
    ['/var/lib/sysbox', 'works', 'unknown'],
    ['/var/lib/sysbox', 'fails', 'unknown']
  ])('of a Sysbox on the mount %s, tried on / (%s): %s', (mountPoint, outcome, answer) => {
    const changes = { 'sysbox-storage': storage({ path: '/var/lib/sysbox', type: 'zfs', mountPoint }) }
    const outcomes = { 'id-mapped-mount': outcome as Proof['outcome'] }
    expect(answers(judgeSysbox(factsOf({ ...changes, proofs: proofs(outcomes) }), policy()))['data file system']).toBe(answer)
  })
})

describe('shiftfs', () => {
  const BOTH: Outcomes = { 'shiftfs-on-disk': 'works', 'shiftfs-on-overlay': 'works' }
  const SUSPECT = { kernel: kernel('5.15.0-60-generic'), 'upstream-kernel': '5.15.78' }
  const loaded = (state: 'present' | 'loadable' | 'absent' | 'unknown', outOfTree = false): Partial<Values> => ({
    'kernel-modules': {
      supported: true,
      modules: modules({ shiftfs: state }),
      shiftfs: { registered: state === 'present', outOfTree, blockedBy: '' }
    }
  })
  const cached = (changes: Partial<Values>, outcomes: Outcomes, terms = {}): Verdict => {
    const facts = factsOf({ ...loaded('present'), ...changes, proofs: proofs(outcomes) })
    return judgeCachedCvm({ ...facts, shiftfs: deriveShiftfs(facts) }, policy(terms))
  }
  const stateOf = (changes: Partial<Values>, outcomes: Outcomes): string => {
    const fact = deriveShiftfs(factsOf({ ...changes, proofs: proofs(outcomes) }))
    return fact.known ? fact.value.state : 'unknown'
  }

  test.each<[string, Partial<Values>, Outcomes, Answer]>([
    ['loaded and untried', {}, {}, 'yes'],
    ['loaded and proved', {}, BOTH, 'yes'],
    ['broken on the disk', {}, { ...BOTH, 'shiftfs-on-disk': 'fails' }, 'no'],
    ['broken on overlayfs', {}, { ...BOTH, 'shiftfs-on-overlay': 'fails' }, 'no'],
    ['suspect and untried', SUSPECT, {}, 'unknown'],
    ['suspect and half tried', SUSPECT, { 'shiftfs-on-disk': 'works' }, 'unknown'],
    ['suspect and proved', SUSPECT, BOTH, 'yes'],
    ['suspect and broken', SUSPECT, { 'shiftfs-on-disk': 'fails' }, 'no'],
    [
      "dangerous outside Ubuntu's kernels, though it works",
      { distro: distro('debian', '12'), ...loaded('present', true) },
      BOTH,
      'no'
    ],
    ["Debian's own, and proved", { distro: distro('debian', '12') }, BOTH, 'yes']
  ])('%s', (_, changes, outcomes, answer) => {
    expect(cached(changes, outcomes).answer).toBe(answer)
  })

  test('that is allowed in spite of its risk is still a no if it is broken', () => {
    const changes = { distro: distro('debian', '12'), ...loaded('present', true) }
    const terms = { shiftfsOutsideUbuntu: 'allow' }
    expect(cached(changes, BOTH, terms)).toMatchObject({ answer: 'yes', cautions: [expect.stringContaining('crash the node')] })
    expect(cached(changes, { ...BOTH, 'shiftfs-on-disk': 'fails' }, terms).answer).toBe('no')
  })

  test('has the result of the trial as reason, and names it as a fact', () => {
    const found = part(cached({}, { 'shiftfs-on-disk': 'fails' }), 'shiftfs')
    expect(found?.because).toBe('shiftfs is present but does not work: a trial failed: shiftfs-on-disk was seen')
    expect(found?.facts).toEqual(['shiftfs', 'proofs'])
    expect(part(cached({}, BOTH), 'shiftfs')?.facts).toEqual(['shiftfs', 'proofs'])
    expect(part(cached({}, {}), 'shiftfs')?.facts).toEqual(['shiftfs'])
  })

  test('is in the state that the trial shows', () => {
    for (const state of ['present', 'loadable', 'absent', 'unknown'] as const) {
      expect(stateOf(loaded(state), { 'shiftfs-on-overlay': 'fails' })).toBe('broken')
    }
    expect(stateOf(loaded('present'), BOTH)).toBe('loaded')
    expect(stateOf(loaded('loadable'), {})).toBe('loadable')
    expect(deriveShiftfs(factsOf({}, 'proofs')).known).toBe(false)
  })
})

describe('for any results of trials', () => {
  const outcome = fc.constantFrom<Proof['outcome']>('works', 'fails', 'untried')
  const outcomes = fc.record(Object.fromEntries(TRIALS.map(name => [name, outcome]))) as fc.Arbitrary<Required<Outcomes>>
  const changes = fc.record<Partial<Values>>(
    {
      kernel: fc.constantFrom(...['5.12.0', '5.14.0-1.el9_1', '5.15.0-60-generic', '5.17.5', '5.19.0', '6.8.0'].map(kernel)),
      distro: fc.constantFrom(...['ubuntu', 'debian', 'rocky'].map(id => distro(id))),
      storage: fc.constantFrom(storage(), storage({ type: 'zfs' }), storage({ type: 'xfs' }))
    },
    { requiredKeys: [] }
  )
  const judged = (found: Partial<Values>, tried: Outcomes) => {
    const facts = factsOf({ ...found, proofs: proofs(tried) })
    const verdicts = decide({ ...facts, shiftfs: deriveShiftfs(facts) }, policy({ shiftfsOutsideUbuntu: 'allow' }))
    return Object.fromEntries(Object.entries(verdicts).map(([name, { answer }]) => [name, answer]))
  }

  test('a failed trial is a no of everything that needs it', () => {
    fc.assert(
      fc.property(changes, outcomes, (found, tried) => {
        const verdicts = judged(found, tried)
        const { major, minor } = found.kernel ?? IDEAL.kernel
        const needsOverlay = major > 5 || (major === 5 && minor >= 19)
        const needed: readonly TrialName[] = ['id-mapped-mount', ...(needsOverlay ? (['overlay-on-id-mapped'] as const) : [])]
        const failed = (names: readonly TrialName[]) => names.some(name => tried[name] === 'fails')
        if (failed(needed)) expect(verdicts).toMatchObject({ cvm: 'no', 'cached-cvm': 'no', 'gpu-cvm': 'no' })
        if (failed(['shiftfs-on-disk', 'shiftfs-on-overlay'])) expect(verdicts['cached-cvm']).toBe('no')
      })
    )
  })

  test('what could not be tried changes nothing', () => {
    const none = proofs()
    fc.assert(
      fc.property(changes, fc.string(), (found, because) => {
        const facts = (value: Values['proofs']) => factsOf({ ...found, proofs: value })
        const other = Object.fromEntries(
          TRIALS.map(name => [name, { outcome: 'untried', because }])
        ) as unknown as Values['proofs']
        expect(decide(facts(other), policy())).toEqual(decide(facts(none), policy()))
      })
    )
  })

  test('a trial that worked never makes a yes a no', () => {
    const better = (name: TrialName, tried: Outcomes): Outcomes => ({ ...tried, [name]: 'works' })
    const rank = { no: 0, unknown: 1, yes: 2 }
    fc.assert(
      fc.property(changes, outcomes, fc.constantFrom(...TRIALS), (found, tried, name) => {
        const [before, after] = [judged(found, tried), judged(found, better(name, tried))]
        for (const [capability, answer] of Object.entries(before)) {
          expect(rank[after[capability] as Answer]).toBeGreaterThanOrEqual(rank[answer])
        }
      })
    )
  })
})
