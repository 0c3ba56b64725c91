import { expect, test } from 'vitest'
import { capabilityChange, eventBody } from '../../../src/node-sync/events.ts'

const NAMES = ['cvm', 'gpu']
const change = (before: Record<string, string>, after: Record<string, string>) =>
  capabilityChange(before, after, NAMES, 'berth.dev')

test('one event names only the capabilities that changed', () => {
  expect(change({ 'berth.dev/cvm': 'true' }, { 'berth.dev/cvm': 'true', 'berth.dev/machine': 'virtual' })).toBeUndefined()
  expect(change({}, { 'berth.dev/cvm': 'true', 'berth.dev/gpu': 'false' })).toEqual({
    reason: 'WorkspaceCapabilityChanged',
    type: 'Normal',
    message: 'cvm: not labelled → true, gpu: not labelled → false'
  })
})

test('a capability that is no longer true is a warning', () => {
  expect(change({ 'berth.dev/cvm': 'true' }, { 'berth.dev/cvm': 'unknown' })?.type).toBe('Warning')
  expect(change({ 'berth.dev/cvm': 'unknown' }, { 'berth.dev/cvm': 'false' })?.type).toBe('Normal')
})

test('a label that could not be written is no change', () => {
  expect(change({ 'berth.dev/cvm': 'true' }, {})).toBeUndefined()
})

test('the event is about the Node, and its message fits', () => {
  const at = new Date('2026-11-03T10:00:05Z')
  const event = { reason: 'LabelDriftRepaired', type: 'Warning', message: 'x'.repeat(2_000) } as const
  const body = eventBody(event, 'n1', at, 'abc')
  expect(body.metadata).toEqual({ name: 'n1.abc', namespace: 'default' })
  expect(body.involvedObject).toMatchObject({ kind: 'Node', name: 'n1' })
  expect(body.message).toHaveLength(1_024)
})
