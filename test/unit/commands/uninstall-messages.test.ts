import { describe, expect, test } from 'vitest'
import {
  counted,
  EMPTY,
  heartbeatWarning,
  nodeMessage,
  runningWarning,
  summary,
  taintNote
} from '../../../src/commands/uninstall/messages.ts'
import type { Stripped } from '../../../src/commands/uninstall/strip.ts'
import { NOTHING } from '../../../src/node-sync/own-entries.ts'

const telling = { isDryRun: false, columns: 80 }
const done: Stripped = { name: 'n1', removed: { ...NOTHING, labels: ['berth.dev/cvm'] }, isGone: false, problems: [] }
const at = (seconds: number) => new Date(Date.parse('2026-01-05T10:00:00Z') + seconds * 1000)

/** A Node whose agent wrote last at that moment; as JSON has it, a text. */
const beating = (name: string, heartbeat: Date) => ({
  metadata: { name },
  status: {
    conditions: [{ type: 'WorkspaceNodeReady', status: 'True', lastHeartbeatTime: heartbeat.toISOString() as unknown as Date }]
  }
})

describe('the result for a Node', () => {
  test.each([
    [done, 'n1: removed the label cvm'],
    [{ ...done, removed: NOTHING }, 'n1: nothing to remove'],
    [{ ...done, removed: NOTHING, isGone: true }, 'n1: was deleted meanwhile'],
    [{ ...done, problems: ['no'] }, 'n1: removed the label cvm; FAILED: no']
  ])('is one line: %j', (stripped, line) => {
    expect(nodeMessage(stripped, telling)).toBe(line)
  })

  test('says in a dry run that nothing was done', () => {
    expect(nodeMessage(done, { ...telling, isDryRun: true })).toBe('n1: would remove the label cvm')
  })

  test('wraps when it is long', () => {
    const labels = Array.from({ length: 12 }, (_, index) => `berth.dev/label-${index}`)
    const lines = nodeMessage({ ...done, removed: { ...NOTHING, labels } }, telling).split('\n')
    expect(lines.length).toBeGreaterThan(1)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
    expect(lines[1]).toMatch(/^ {4}label-/)
  })
})

const unasked = (seconds: number) => ({ why: 'no answer', now: at(seconds), columns: 80 })

describe('a warning', () => {
  test.each([
    [0, true],
    [599, true],
    [600, false],
    [86_400, false],
    // An agent whose clock is a bit ahead of ours lives as well.
    [-60, true],
    [-86_400, false]
  ])('at a heartbeat that is %i s old: %j', (age, isWarned) => {
    const text = heartbeatWarning([beating('n1', at(0))], unasked(age))
    expect(text !== undefined).toBe(isWarned)
    if (isWarned) expect(text).toContain('kubectl -n berth delete daemonset berth')
  })

  test('names the first Node with a recent heartbeat, and is absent without one', () => {
    expect(heartbeatWarning([{ metadata: { name: 'quiet' } }, beating('n2', at(0))], unasked(1))).toContain('n2')
    expect(heartbeatWarning([{ metadata: { name: 'quiet' } }], unasked(0))).toBeUndefined()
  })
})

describe('a warning of a Pod', () => {
  const pod = { namespace: 'tools', name: 'agent-x', node: 'n1', owner: 'daemonset agent' }

  test('names the controller to delete, so that no new Pod is created', () => {
    const text = runningWarning(pod, 80)
    expect(text.replaceAll(/\s+/g, ' ')).toContain('an agent runs on n1 (Pod agent-x in the Namespace tools)')
    expect(text.split('\n').at(-1)).toBe('    Delete it first: kubectl -n tools delete daemonset agent')
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  test('that is not scheduled yet names no Node', () => {
    expect(runningWarning({ ...pod, node: '' }, 80)).toContain('warning: an agent runs (Pod agent-x')
  })
})

describe('the end', () => {
  test('counts', () => {
    const failed = { ...done, removed: NOTHING, problems: ['no'] }
    const tally = [done, failed, { ...done, removed: NOTHING }].reduce(counted, EMPTY)
    expect(summary(tally, telling)).toBe('3 Nodes checked: 1 changed, 1 failed.')
    expect(summary(counted(EMPTY, done), { ...telling, isDryRun: true })).toBe('1 Node checked: 1 would be changed, 0 failed.')
  })

  test.each([
    [['n1'], 'n1 still has the startup taint,', 'kubectl taint node n1 example.com/starting-'],
    [['n1', 'n2'], '2 Nodes (n1, …)', 'kubectl taint node --all example.com/starting-']
  ])('says how to remove the taint of %j', (tainted, where, command) => {
    const note = taintNote({ ...EMPTY, tainted }, 'example.com/starting', 80)
    expect(note).toContain(where)
    expect(note.split('\n').at(-1)).toBe(`    ${command}`)
  })
})
