import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { atLeast, parseKernel } from '../../../src/facts/kernel.ts'
import { detectUpstream, parseSignature } from '../../../src/facts/upstream-kernel.ts'
import { localHost } from '../../../src/host/local.ts'
import { temporary } from '../host/temporary.ts'
import { endless, everyParsed, garbage } from './garbage.ts'

describe('the version of a kernel', () => {
  test.each([
    ['4.14.238-182.422.amzn2.x86_64', 4, 14],
    ['4.18.0-147.5.1.el8_1.x86_64', 4, 18],
    ['4.18.0-425.10.1.el8_7.x86_64', 4, 18],
    ['5.4.0-1065-gke', 5, 4],
    ['5.4.0-1090-azure', 5, 4],
    ['5.4.209-116.367.amzn2.x86_64', 5, 4],
    ['5.4.50', 5, 4],
    ['5.10.127+', 5, 10],
    ['5.10.84-flatcar', 5, 10],
    ['5.10.237-230.948.amzn2.x86_64', 5, 10],
    ['5.14.0-70.17.1.el9_0.x86_64', 5, 14],
    ['5.14.0-427.13.1.el9_4.x86_64', 5, 14],
    ['5.14.0-687.35.1.el9_8', 5, 14],
    ['5.15.0-1084-aws', 5, 15],
    ['5.15.0-48-generic', 5, 15],
    ['5.15.133+', 5, 15],
    ['5.15.153.1-microsoft-standard-WSL2', 5, 15],
    ['5.15.59', 5, 15],
    ['6.1.66', 6, 1],
    ['6.1.115-126.197.amzn2023.x86_64', 6, 1],
    ['6.6.85.1-2.azl3', 6, 6],
    ['6.6.150.1-1.azl3', 6, 6],
    ['6.6.58-talos', 6, 6],
    ['6.8.0-117-generic', 6, 8],
    ['6.10.0', 6, 10],
    ['6.12.85+', 6, 12],
    ['6.17.0-1008-gcp', 6, 17],
    ['6.18.44-fc-v595', 6, 18],
    ['7.0.0-9-generic', 7, 0],
    ['10.0', 10, 0],
    ['6.2.0-rc1~deb12', 6, 2]
  ])('%s is %i.%i', (release, major, minor) => {
    expect(parseKernel(`${release}\n`)).toEqual({ release, major, minor })
  })

  test.each([
    [''],
    ['\n'],
    ['5'],
    ['5.'],
    ['.5'],
    ['v5.15.0'],
    ['5.15.0/../../etc'],
    ['5.15.0 extra'],
    ['5.15.0\nsecond'],
    ['../5.15'],
    ['-5.15'],
    ['1234.5'],
    ['5.1234'],
    ['5,15'],
    ['5.15.0\0'],
    ['５.15'],
    ['Linux version 5.15.0-1031-azure (buildd@lcy02-amd64-010)']
  ])('cannot be parsed from %j', text => {
    expect(parseKernel(text)).toBeUndefined()
  })

  test('of any text is that of its leading numbers, and its release names no other directory', () => {
    everyParsed(garbage('5.15.0-1084-aws\n', '6.6.85.1-2.azl3\n'), parseKernel, ({ release, major, minor }) => {
      expect(release).toMatch(/^[\w.+~-]+$/)
      expect(release.split(/\D/).slice(0, 2).map(Number)).toEqual([major, minor])
    })
  })

  test.each<[string, string | undefined]>([
    [endless('5'), undefined],
    [endless('5.'), '5.5'],
    [endless('a', '5.15', '/'), undefined],
    [endless(' ', '5.15'), '5.15'],
    [endless('.5.', '5.5'), '5.5']
  ])('of 1 MB is judged like any other (%#)', (text, version) => {
    const kernel = parseKernel(text)
    expect(kernel && `${kernel.major}.${kernel.minor}`).toBe(version)
  })
})

describe('at least', () => {
  test.each([
    ['5.10', [5, 9], true],
    ['5.9', [5, 10], false],
    ['6.0', [5, 19], true],
    ['5.7', [5, 7], true],
    ['4.19', [5, 0], false],
    ['10.0', [9, 99], true]
  ] as const)('%s against %j is %s, by numbers', (release, version, answer) => {
    const kernel = parseKernel(release)
    expect(kernel && atLeast(kernel, version)).toBe(answer)
  })

  test('is an order of all versions', () => {
    const version = fc.tuple(fc.nat(30), fc.nat(30))
    fc.assert(
      fc.property(version, version, ([a, b], [c, d]) => {
        expect(atLeast({ major: a, minor: b }, [c, d])).toBe(a * 100 + b >= c * 100 + d)
      })
    )
  })
})

describe('the upstream version of an Ubuntu kernel', () => {
  test.each([
    ['Ubuntu 5.15.0-1028.33-gke 5.15.78\n', '5.15.78'],
    ['Ubuntu 5.15.0-1084.91~20.04.1-aws 5.15.179\n', '5.15.179'],
    ['Ubuntu 6.8.0-45.45-generic 6.8.12\n', '6.8.12'],
    ['Ubuntu 5.15.0-1028.33-gke 5.15.7', undefined],
    ['Debian 5.15.0-1028.33-gke 5.15.78\n', undefined],
    ['Ubuntu 5.15.0-1028.33-gke\n', undefined],
    ['', undefined]
  ])('%j is %s', (text, version) => {
    expect(parseSignature(text)).toBe(version)
  })

  const upstream = (files: Readonly<Record<string, string>>) =>
    detectUpstream({ host: localHost(temporary(files)), node: undefined, podSecurity: undefined })

  test('is read on Ubuntu, empty elsewhere, and unknown if malformed or if /proc is missing', async () => {
    const proc = { 'proc/sys/kernel/osrelease': '6.1.0\n' }
    expect(await upstream({ ...proc, 'proc/version_signature': 'Ubuntu 5.15.0-1028.33-gke 5.15.78\n' })).toBe('5.15.78')
    expect(await upstream(proc)).toBe('')
    await expect(upstream({ ...proc, 'proc/version_signature': 'Ubuntu\n' })).rejects.toThrow('expected "Ubuntu RELEASE VERSION"')
    await expect(upstream({})).rejects.toThrow('not mounted')
  })
})
