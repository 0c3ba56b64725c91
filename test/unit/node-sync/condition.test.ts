import { expect, test } from 'vitest'
import { CONDITION_TYPE, type Condition, conditionToWrite, opinion, standingCondition } from '../../../src/node-sync/condition.ts'
import { factsOf } from '../node-facts.ts'

const now = new Date('2026-11-03T10:00:05.678Z')
const ago = (milliseconds: number) => new Date(now.getTime() - milliseconds).toISOString()
const wanted = { status: 'True', reason: 'FactsKnownAndPublished', message: 'all is well' } as const
const standing = (changes: Partial<Condition> = {}): Condition => ({
  ...{ type: CONDITION_TYPE, ...wanted, lastHeartbeatTime: ago(1_000), lastTransitionTime: '2026-01-01T00:00:00Z' },
  ...changes
})

test('nothing is written while the condition is right and its heartbeat is recent', () => {
  expect(conditionToWrite(standing(), wanted, now, 300_000)).toBeUndefined()
  expect(conditionToWrite(standing({ lastHeartbeatTime: ago(299_999) }), wanted, now, 300_000)).toBeUndefined()
})

test('a heartbeat that is old, from the future or invalid is written again, without a transition', () => {
  for (const lastHeartbeatTime of [ago(300_000), ago(-60_000), 'yesterday']) {
    expect(conditionToWrite(standing({ lastHeartbeatTime }), wanted, now, 300_000)).toEqual(
      standing({ lastHeartbeatTime: '2026-11-03T10:00:05Z' })
    )
  }
})

test('the transition time changes only with the status', () => {
  const at = '2026-11-03T10:00:05Z'
  expect(conditionToWrite(standing({ reason: 'Other' }), wanted, now, 300_000)?.lastTransitionTime).toBe('2026-01-01T00:00:00Z')
  expect(conditionToWrite(standing({ message: 'other' }), wanted, now, 300_000)?.lastTransitionTime).toBe('2026-01-01T00:00:00Z')
  expect(conditionToWrite(standing({ status: 'Unknown' }), wanted, now, 300_000)?.lastTransitionTime).toBe(at)
  expect(conditionToWrite(undefined, wanted, now, 300_000)).toEqual(standing({ lastHeartbeatTime: at, lastTransitionTime: at }))
})

test('the condition is True only if all facts are known, read and published', () => {
  const all = { facts: factsOf(), recalled: [], outcomes: [] }
  expect(opinion(all, true)).toMatchObject({ status: 'True' })
  expect(opinion(all, false)).toMatchObject({ status: 'Unknown', reason: 'LabelsNotPublished' })
  expect(opinion({ ...all, recalled: ['fuse'] }, true)).toMatchObject({ status: 'Unknown', reason: 'FactsRecalled' })
  const unknown = opinion({ facts: factsOf({}, 'fuse', 'yama'), recalled: [], outcomes: [] }, true)
  expect(unknown).toMatchObject({ status: 'Unknown', reason: 'FactsUnknown' })
  expect(unknown.message).toContain('2 facts are unknown (fuse, yama); the first: nobody could read fuse')
})

test('a remedy that failed, or that changed nothing, makes it False, whatever is unknown', () => {
  const tried = { remedy: 'shiftfs', because: 'no gcc', at: '2026-11-03T10:00:05Z', tail: '' } as const
  const all = { facts: factsOf({}, 'fuse'), recalled: [] }
  for (const [result, status, reason] of [
    ['failed', 'False', 'RemedyFailed'],
    ['ineffective', 'False', 'RemedyIneffective'],
    ['applied', 'Unknown', 'FactsUnknown'],
    ['forbidden', 'Unknown', 'FactsUnknown']
  ] as const) {
    expect(opinion({ ...all, outcomes: [{ ...tried, result }] }, true), result).toMatchObject({ status, reason })
  }
  expect(opinion({ ...all, outcomes: [{ ...tried, result: 'failed' }] }, true).message).toBe('shiftfs: no gcc')
})

test('the condition names the unknown facts, except those on which no label depends', () => {
  expect(opinion({ facts: factsOf({}, 'inventory', 'docker'), recalled: [], outcomes: [] }, true).status).toBe('True')
  expect(opinion({ facts: factsOf(), recalled: ['docker'], outcomes: [] }, true).status).toBe('True')
  expect(opinion({ facts: factsOf({}, 'inventory', 'yama'), recalled: [], outcomes: [] }, true).message).toBe(
    '1 fact is unknown (yama); the first: nobody could read yama'
  )
})

test('the condition names the facts with values from memory, but only if no fact is unknown', () => {
  const recalled = ['fuse', 'yama'] as const
  const opinionOf = (facts: ReturnType<typeof factsOf>) => opinion({ facts, recalled, outcomes: [] }, true)
  expect(opinionOf(factsOf()).message).toBe('could not be read lately: fuse, yama')
  expect(opinionOf(factsOf({}, 'kernel')).reason).toBe('FactsUnknown')
})

test('a message fits into a condition: 1024 characters', () => {
  const outcome = { remedy: 'shiftfs', result: 'failed', because: 'x'.repeat(2_000), at: '', tail: '' } as const
  expect(opinion({ facts: factsOf(), recalled: [], outcomes: [outcome] }, true).message).toHaveLength(1_024)
  const facts = { ...factsOf(), yama: { known: false, why: 'x'.repeat(2_000), evidence: [] } } as ReturnType<typeof factsOf>
  expect(opinion({ facts, recalled: [], outcomes: [] }, true).message).toHaveLength(1_024)
})

test('the message says that labels are missing, or that everything is published', () => {
  const all = { facts: factsOf(), recalled: [], outcomes: [] }
  expect(opinion(all, false).message).toBe('some labels could not be written to this Node')
  expect(opinion(all, true)).toMatchObject({
    reason: 'FactsKnownAndPublished',
    message: 'all facts are known and all labels are published'
  })
})

test('a heartbeat of this moment is recent', () => {
  expect(conditionToWrite(standing({ lastHeartbeatTime: now.toISOString() }), wanted, now, 300_000)).toBeUndefined()
})

test('an incomplete condition on a Node counts as missing', () => {
  const other = { type: 'Ready', status: 'True', lastHeartbeatTime: null }
  expect(standingCondition([other, standing()])).toEqual(standing())
  expect(standingCondition([other])).toBeUndefined()
  // A client that gives no times has `null` written for them.
  for (const broken of [{ lastHeartbeatTime: null }, { lastTransitionTime: 'soon' }, { status: 'Maybe' }]) {
    expect(standingCondition([other, { ...standing(), ...broken }])).toBeUndefined()
  }
})
