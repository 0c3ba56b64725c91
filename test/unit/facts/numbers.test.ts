import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Unsure } from '../../../src/facts/fact.ts'
import { parseCount, readCount, readFlag, requireMounted } from '../../../src/facts/numbers.ts'
import { pretendHost } from '../host/pretend.ts'
import { endless, everyParsed, garbage } from './garbage.ts'

const host = (text: string | undefined) => pretendHost({ read: async () => text })

describe('a count', () => {
  test.each([
    ['0\n', 0],
    ['1', 1],
    ['65536\n', 65_536],
    ['2147483647\n', 2_147_483_647],
    ['\t12 \n', 12],
    ['007\n', 7]
  ])('in %j is %i', (text, count) => {
    expect(parseCount(text)).toBe(count)
  })

  test.each([
    [''],
    ['\n'],
    ['-1'],
    ['1.5'],
    ['1e3'],
    ['0x10'],
    ['1 2'],
    ['1\n2'],
    ['y'],
    ['1\0'],
    ['١'],
    ['9'.repeat(400)],
    ['NaN'],
    ['Infinity']
  ])('is not found in %j', text => {
    expect(parseCount(text)).toBeUndefined()
  })

  test('is what was printed, and exact', () => {
    fc.assert(fc.property(fc.nat(), count => parseCount(`${count}\n`) === count))
    everyParsed(garbage('65536\n'), parseCount, (count, text) => {
      expect(Number.isSafeInteger(count)).toBe(true)
      expect(text.trim()).toMatch(new RegExp(`^0*${count}$`))
    })
  })

  test.each([[endless('1')], [endless(' ')], [endless(' ', '1', 'x')], [endless(' 1')]])(
    'in 1 MB is judged like any other (%#)',
    text => {
      expect(parseCount(text)).toBeUndefined()
    }
  )

  test('of a missing file is undefined, and of a malformed file unknown', async () => {
    expect(await readCount(host(undefined), '/x')).toBeUndefined()
    expect(await readCount(host('3\n'), '/x')).toBe(3)
    await expect(readCount(host('three\n'), '/x')).rejects.toThrow('/x holds "three\\n", not a number')
    await expect(readCount(host(''), '/x')).rejects.toBeInstanceOf(Unsure)
  })
})

describe('a flag', () => {
  test.each([
    ['Y\n', true],
    ['1\n', true],
    ['N\n', false],
    ['0', false]
  ])('in %j is %s', async (text, flag) => {
    expect(await readFlag(host(text), '/x')).toBe(flag)
  })

  test.each([[''], ['y'], ['n'], ['yes'], ['2'], ['YN'], ['constructor'], ['toString'], ['__proto__'], ['\0']])(
    'is not found in %j',
    async text => {
      await expect(readFlag(host(text), '/x')).rejects.toBeInstanceOf(Unsure)
    }
  )

  test('of a missing file is undefined', async () => {
    expect(await readFlag(host(undefined), '/x')).toBeUndefined()
  })
})

test('without /proc or /sys of the node everything below them is unknown', async () => {
  const bare = pretendHost({ stat: async () => undefined })
  await expect(requireMounted(bare, 'proc')).rejects.toThrow('/proc of the node is not mounted')
  await expect(requireMounted(bare, 'sys')).rejects.toThrow('/sys of the node is not mounted')
  const mounted = pretendHost({ stat: async () => ({ kind: 'directory', mode: 0o555, device: '' }) })
  await expect(requireMounted(mounted, 'proc')).resolves.toBeUndefined()
})
