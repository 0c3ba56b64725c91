import { expect, test } from 'vitest'
import { hugepagesFact } from '../../../src/facts/hugepages.ts'
import { type Answers, detect } from './replay.ts'

test.each<[what: string, answers: Answers, outcome: object, shown: string]>([
  [
    'a kernel without huge pages has none',
    { '/sys/kernel/mm/hugepages': undefined },
    { value: {} },
    'not supported by this kernel'
  ],
  [
    'each size is counted',
    {
      '/sys/kernel/mm/hugepages': ['hugepages-2048kB', 'hugepages-1048576kB', 'power'],
      '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages': '512\n',
      '/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages': '16\n'
    },
    { value: { 2048: 512, 1048576: 16 } },
    '512 of 2048 KiB, 16 of 1048576 KiB'
  ]
])('%s', async (_, answers, outcome, shown) => {
  const found = await detect(hugepagesFact.detect, answers)
  expect(found).toEqual(outcome)
  expect(hugepagesFact.format((found as { readonly value: Record<string, number> }).value)).toBe(shown)
})

test('a count that is not a number makes the fact unknown', async () => {
  const answers = {
    '/sys/kernel/mm/hugepages': ['hugepages-2048kB'],
    '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages': 'many\n'
  }
  expect(await detect(hugepagesFact.detect, answers)).toEqual({ unsure: expect.stringContaining('not a number') })
})
