import { expect, test } from 'vitest'
import { detectResourceSlices } from '../../../src/facts/dra-gpus.ts'
import { parseResourceSlices } from '../../../src/facts/resource-slices.ts'
import { detect } from './replay.ts'

const slice = (spec: object) => ({ spec: { driver: 'gpu.nvidia.com', nodeName: 'n1', ...spec } })
const device = (...effects: readonly string[]) => ({ name: 'gpu-0', taints: effects.map(effect => ({ key: 'x', effect })) })

test.each([
  ['the devices of all slices are counted', [slice({ devices: [device(), {}] }), slice({ devices: [device()] })], 3, 0],
  ['a slice of counters has no devices', [slice({ sharedCounters: [{}] })], 0, 0],
  [
    'a taint keeps pods away, unless it has no effect',
    [slice({ devices: ['NoSchedule', 'NoExecute', 'None'].map(e => device(e)) })],
    3,
    2
  ],
  ['one taint of two is enough', [slice({ devices: [device('None', 'NoExecute')] })], 1, 1],
  ['another driver has other devices', [slice({ driver: 'compute-domain.nvidia.com', devices: [device()] })], 0, 0],
  [
    'another node has its own',
    [slice({ nodeName: 'n2', devices: [device()] }), slice({ nodeName: undefined, allNodes: true })],
    0,
    0
  ]
])('%s', (_, items, devices, tainted) => {
  expect(parseResourceSlices({ items }, 'n1')).toEqual({ devices, tainted })
})

test.each([undefined, null, 'text', [], {}, { items: 7 }, { items: [null, 7, {}, { spec: null }, slice({ devices: 'x' })] }])(
  'a value that is not a ResourceSliceList has no devices: %j',
  answer => {
    expect(parseResourceSlices(answer, 'n1')).toEqual({ devices: 0, tainted: 0 })
  }
)

test('the fact is the answer of the API, the reason why there is none, or that it was not read', async () => {
  const seen = { devices: 8, tainted: 1 }
  expect(await detect(detectResourceSlices, {})).toEqual({ value: { asked: false } })
  expect(await detect(detectResourceSlices, {}, { resourceSlices: { ok: true, value: seen } })).toEqual({
    value: { asked: true, ...seen }
  })
  expect(await detect(detectResourceSlices, {}, { resourceSlices: { ok: false, why: '403' } })).toEqual({ unsure: '403' })
})
