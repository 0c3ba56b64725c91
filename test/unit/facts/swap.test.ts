import { expect, test } from 'vitest'
import { swapFact } from '../../../src/facts/swap.ts'
import { detect } from './replay.ts'

const HEAD = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'

test.each<[what: string, text: string | undefined, outcome: object]>([
  ['a kernel without swap has none', undefined, { value: [] }],
  ['a list of its head alone is no swap', HEAD, { value: [] }],
  [
    'each area has its size',
    `${HEAD}/dev/sda3                               partition\t8388604\t\t0\t\t-2\n/var/swap\\0401                          file\t\t1048572\t\t12\t\t-3\n`,
    {
      value: [
        { path: '/dev/sda3', size: 8_388_604 },
        { path: '/var/swap\\0401', size: 1_048_572 }
      ]
    }
  ],
  [
    'a list without its head is unknown',
    '/dev/sda3 partition 8 0 -2\n',
    { unsure: expect.stringContaining('an unexpected format') }
  ],
  ['a list that was cut short is unknown', `${HEAD}/dev/sda3 partition 83`, { unsure: expect.stringContaining('cut short') }],
  ['an empty file is unknown', '', { unsure: expect.stringContaining('an unexpected format') }]
])('%s', async (_, text, outcome) => {
  expect(await detect(swapFact.detect, { '/proc/swaps': text })).toEqual(outcome)
})

test('is shown with the size of each area', () => {
  expect(swapFact.format([])).toBe('none')
  expect(swapFact.format([{ path: '/dev/sda3', size: 8_388_604 }])).toBe('8388604 KiB on /dev/sda3')
})
