import { describe, expect, test } from 'vitest'
import { isNothing, NOTHING, ownKeys, removalOf, removalText } from '../../../src/node-sync/own-entries.ts'

describe('a key is ours', () => {
  test.each([
    ['berth.dev/cvm', true],
    ['berth.dev/anything-an-old-version-wrote', true],
    ['berth.dev.example.com/cvm', false],
    ['xberth.dev/cvm', false],
    ['example.com/berth.dev', false],
    ['berth.dev', false],
    ['berthxdev/cvm', false]
  ])('by its whole prefix and slash: %s', (key, isOurs) => {
    expect(ownKeys({ [key]: 'x' }, 'berth.dev')).toEqual(isOurs ? [key] : [])
  })
})

describe('what has to go', () => {
  test('is labels, annotations and the one condition', () => {
    const node = {
      metadata: {
        labels: { 'berth.dev/cvm': 'true', 'kubernetes.io/os': 'linux' },
        annotations: { 'berth.dev/report': '{}', 'example.com/x': '' }
      },
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'WorkspaceNodeReady', status: 'True' }
        ]
      }
    }
    expect(removalOf(node, 'berth.dev')).toEqual({
      labels: ['berth.dev/cvm'],
      annotations: ['berth.dev/report'],
      condition: true
    })
    expect(isNothing(removalOf(node, 'other.dev'))).toBe(false)
  })

  test.each([[{}], [{ metadata: {} }], [{ metadata: {}, status: {} }], [{ status: { conditions: [] } }]])(
    'is nothing in %j',
    node => {
      expect(removalOf(node, 'berth.dev')).toEqual(NOTHING)
      expect(isNothing(NOTHING)).toBe(true)
    }
  )
})

test.each([
  [{ labels: ['a/x'], annotations: [], condition: false }, 'the label x'],
  [{ labels: ['a/x', 'a/y'], annotations: ['a/report'], condition: false }, '2 labels (x, y), the annotation report'],
  [{ labels: [], annotations: [], condition: true }, 'the condition WorkspaceNodeReady'],
  [NOTHING, '']
])('%j is told as "%s"', (removal, text) => {
  expect(removalText(removal)).toBe(text)
})

test.each([
  [{ labels: ['a/x'], annotations: [], condition: false }],
  [{ labels: [], annotations: ['a/x'], condition: false }],
  [{ labels: ['a/x'], annotations: ['a/y'], condition: false }],
  [{ labels: [], annotations: [], condition: true }]
])('%j is not nothing', removal => {
  expect(isNothing(removal)).toBe(false)
})

test.each([
  [['Ready', 'MemoryPressure'], false],
  [['WorkspaceNodeReady'], true],
  [['Ready', 'WorkspaceNodeReady'], true]
])('of the conditions %j ours is found: %s', (types, condition) => {
  const conditions = types.map(type => ({ type, status: 'True' }))
  expect(removalOf({ status: { conditions } }, 'berth.dev').condition).toBe(condition)
})
