import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { untried } from '../../../src/facts/proofs.ts'
import { type Handover, HandoverError, handoverText, parseHandover } from '../../../src/helper/handover.ts'
import { REMEDIES } from '../../../src/remedies/all.ts'

const live = { node: 'n1', boot: '11111111-1111-4111-8111-111111111111', release: '6.1.0-56-amd64' }
const outcome = {
  remedy: 'shiftfs',
  result: 'failed',
  because: 'no gcc',
  at: '2026-11-03T10:00:05.000Z',
  tail: 'make: gcc\n'
} as const
const right: Handover = {
  ...{ schema: 1, at: '2026-11-03T10:00:06.000Z', version: '0.1.0', ...live },
  uptime: 43.5,
  readings: { apparmorUserns: 'on', profiles: { podman: 'unconfined' }, sysboxVersion: '0.7.1' },
  made: { filesystems: 'nodev\toverlay\n\text4\n', disk: 'ext4 (8:1) at /', overProc: '', uptime: 42.5 },
  proofs: { ...untried('no tool'), procfs: { outcome: 'works', because: 'mounted' } },
  outcomes: [outcome]
}

test('the agent reads what the helper writes', () => {
  expect(parseHandover(handoverText(right), live)).toEqual(right)
  expect(parseHandover(handoverText({ ...right, node: '' }), live).node).toBe('')
  expect(parseHandover(handoverText({ ...right, made: null }), live).made).toBe(null)
  expect(parseHandover(handoverText({ ...right, uptime: null }), live).uptime).toBe(null)
  const nothing = { apparmorUserns: undefined, profiles: undefined, sysboxVersion: undefined }
  expect(parseHandover(handoverText({ ...right, readings: nothing }), live).readings).toEqual(nothing)
})

test('unknown keys are dropped', () => {
  const more = JSON.stringify({ ...right, labels: { 'berth.dev/cvm': 'true' }, proofs: { ...right.proofs, more: 1 } })
  expect(parseHandover(more, live)).toEqual(right)
})

describe('a handover is refused:', () => {
  test.each<readonly [string, unknown, string]>([
    ['another schema', { ...right, schema: 2 }, 'schema 2 is not 1'],
    ['another Node', { ...right, node: 'n2' }, 'about the Node "n2"'],
    ['another boot', { ...right, boot: 'x' }, 'under boot x'],
    ['another kernel', { ...right, release: '6.1.0-57-amd64' }, 'on kernel 6.1.0-57-amd64'],
    ['no object', [], 'the file is []; expected an object'],
    ['nothing', null, 'the file is null'],
    ['proofs of an older helper', { ...right, made: undefined }, 'made is missing; expected an object'],
    ['no disk', { ...right, made: { ...right.made, disk: 8 } }, 'made.disk is 8; expected a text'],
    ['no file systems', { ...right, made: { ...right.made, filesystems: ['ext4'] } }, 'made.filesystems is ["ext4"]'],
    ['a time before the boot', { ...right, made: { ...right.made, uptime: -1 } }, 'made.uptime is -1; expected seconds'],
    ['a time in words', { ...right, made: { ...right.made, uptime: 'now' } }, 'made.uptime is "now"'],
    ['no time', { ...right, uptime: undefined }, 'uptime is missing; expected seconds'],
    ['no readings', { ...right, readings: undefined }, 'readings is missing; expected an object'],
    [
      'a reading of another word',
      { ...right, readings: { apparmorUserns: 'maybe' } },
      'readings.apparmorUserns is "maybe"; expected absent or off or on'
    ],
    ['a version that is none', { ...right, readings: { sysboxVersion: 'new' } }, 'readings.sysboxVersion is "new"'],
    ['a profile of no mode', { ...right, readings: { profiles: { podman: 1 } } }, 'readings.profiles.podman is 1'],
    ['a proof that is missing', { ...right, proofs: {} }, 'proofs.id-mapped-mount is missing'],
    [
      'a proof of another word',
      { ...right, proofs: { ...right.proofs, procfs: { outcome: 'yes', because: '' } } },
      'works or fails'
    ],
    ['a result of another word', { ...right, outcomes: [{ ...outcome, result: 'done' }] }, 'outcomes[0].result is "done"'],
    ['a remedy that there is not', { ...right, outcomes: [{ ...outcome, remedy: 'reboot' }] }, 'outcomes[0].remedy is "reboot"'],
    [
      'more outcomes than remedies',
      { ...right, outcomes: [...REMEDIES, ''].map(() => outcome) },
      `a list of at most ${REMEDIES.length}`
    ],
    ['a sentence without end', { ...right, outcomes: [{ ...outcome, because: 'x'.repeat(600) }] }, 'at most 512 characters'],
    ['a forged line', { ...right, outcomes: [{ ...outcome, because: 'a\u001b[2J' }] }, 'expected a text'],
    ['a time that is none', { ...right, at: 'yesterday' }, 'expected a time']
  ])('%s', (_, value, says) => {
    expect(() => parseHandover(JSON.stringify(value), live)).toThrow(says)
    expect(() => parseHandover(JSON.stringify(value), live)).toThrow(HandoverError)
  })

  test('a text that was cut at any place', () => {
    const whole = handoverText(right).trimEnd()
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => parseHandover(whole.slice(0, length), live)).toThrow(HandoverError)
    }
  })

  test('nested lists with more levels than the stack allows', () => {
    const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    for (const key of Object.keys(right)) {
      const text = JSON.stringify({ ...right, [key]: 'HERE' }).replace('"HERE"', nested)
      expect(() => parseHandover(text, live), key).toThrow(HandoverError)
    }
  })

  test('any JSON that is not about this node, boot and kernel', () => {
    const keys = ['schema', 'at', 'version', 'node', 'boot', 'release', 'uptime', 'made', 'proofs', 'readings', 'outcomes']
    const broken = fc.tuple(fc.constantFrom(...keys), fc.jsonValue()).map(([key, value]) => ({ ...right, [key]: value }))
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), broken), value => {
        try {
          expect(parseHandover(JSON.stringify(value), live)).toMatchObject({ boot: live.boot, release: live.release })
        } catch (error) {
          expect(error).toBeInstanceOf(HandoverError)
        }
      })
    )
  })
})
