import { lstatSync, realpathSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HostError } from '../../../src/host/host.ts'
import { missing, resolveInside } from '../../../src/host/resolve.ts'
import { temporary } from './temporary.ts'

const NAMES = ['a', 'b', 'c', '..', '.', ''] as const
const path = fc.array(fc.constantFrom(...NAMES), { maxLength: 8 }).map(parts => `/${parts.join('/')}`)
const target = fc.tuple(fc.constantFrom('', '/'), fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 6 }))
const links = fc.record(
  Object.fromEntries(['a/link', 'b/link', 'c'].map(name => [name, target.map(([slash, parts]) => slash + parts.join('/'))]))
)

describe('for any tree of links and any path', () => {
  test('the resolved path lies below the root, contains no link, and resolves to itself', () => {
    fc.assert(
      fc.property(links, path, (found, asked) => {
        // Each run has a tree of its own, which ends with the test.
        const root = temporary({
          'a/b': 'directory/',
          'b/a': 'file',
          ...Object.fromEntries(Object.entries(found).map(([name, link]) => [name, { link: link === '' ? '.' : link }]))
        })
        const real = answer(root, `${asked}/link`) ?? answer(root, asked)
        // Other trees and questions take its place, and too many of them fail the test.
        fc.pre(real !== undefined)
        expect(realpathSync(root + real)).toBe(real === '/' ? root : root + real)
        expect(lstatSync(root + real).isSymbolicLink()).toBe(false)
        expect(resolveInside(root, real)).toBe(real)
      }),
      { numRuns: 200 }
    )
  })
})

const answer = (root: string, asked: string): string | undefined => {
  try {
    return resolveInside(root, asked)
  } catch (error) {
    if (error instanceof HostError && error.code === 'ELOOP') return undefined
    throw error
  }
}

test('only ENOENT and ENOTDIR mean missing; every other errno is thrown', () => {
  const errno = (code: string) => Object.assign(new Error(code), { code })
  expect(missing(errno('ENOENT'))).toBeUndefined()
  expect(missing(errno('ENOTDIR'))).toBeUndefined()
  for (const code of ['EACCES', 'EPERM', 'EIO', 'ELOOP', 'ESTALE', 'ENAMETOOLONG'])
    expect(() => missing(errno(code))).toThrow(code)
})
