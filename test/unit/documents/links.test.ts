import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../../../packaging/root.ts'
import { readPage } from '../../support/page-commands.ts'
import { pages } from '../../support/pages.ts'
import { slug } from '../../support/slug.ts'

/** The text of a page as it is read: code blocks, code and comments hold no links. */
const prose = (text: string): string =>
  text
    .replace(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/`[^`\n]*`/g, code => (code.includes('](') ? '' : code))

/** Targets of links and pictures. */
const targetsOf = (text: string): readonly string[] =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string)

const isElsewhere = (target: string): boolean => /^[a-z]+:/.test(target)

const anchorsOf = (page: string): readonly string[] => {
  const text = readPage(page).replace(/^( *)```[\s\S]*?^\1```$/gm, '')
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => slug(heading as string))
}

/** What is wrong with a link of a page; undefined where it leads somewhere. */
function fault(page: string, target: string): string | undefined {
  if (isElsewhere(target)) return target.startsWith('https://') ? undefined : `${target}: not https`
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(join(ROOT, file))) return `${target}: there is no ${file}`
  if (anchor === undefined) return undefined
  return anchorsOf(file).includes(anchor) ? undefined : `${target}: ${file} has no heading #${anchor}`
}

const all = pages()

test.each(all)('every link and picture of %s leads somewhere', page => {
  const faults = targetsOf(readPage(page)).flatMap(target => fault(page, target) ?? [])
  expect(faults).toEqual([])
})

test.each(all)('no two headings of %s have the same anchor', page => {
  const anchors = anchorsOf(page)
  expect(anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index)).toEqual([])
})

test('every page of docs is linked from another page', () => {
  const linked = new Set(
    all.flatMap(page =>
      targetsOf(readPage(page))
        .filter(target => !isElsewhere(target))
        .map(target => normalize(join(dirname(page), target.split('#')[0] ?? '')))
    )
  )
  expect(all.filter(page => page.startsWith('docs/') && !linked.has(page))).toEqual([])
})

test('every page of docs has its place in the sidebar of the site', () => {
  const config = readPage('docs/.vitepress/config.ts')
  const names = all.filter(page => page.startsWith('docs/')).map(page => page.replace(/^docs\/(runbooks\/)?(.*)\.md$/, '$2'))
  expect(names.filter(name => !config.includes(`'${name}'`))).toEqual([])
})

describe('the check itself', () => {
  test.each([
    ['[a](no-such-page.md)', 'no-such-page.md: there is no docs/no-such-page.md'],
    ['[a](install.md#nowhere)', 'install.md#nowhere: docs/install.md has no heading #nowhere'],
    ['![a](nowhere.png)', 'nowhere.png: there is no docs/nowhere.png'],
    ['[a](http://example.com)', 'http://example.com: not https']
  ])('finds what is wrong with %s', (text, found) => {
    expect(targetsOf(text).map(target => fault('docs/fleet.md', target))).toEqual([found])
  })

  test('takes an anchor as GitHub makes it', () => {
    expect(slug("What `doctor` checks, and what it doesn't")).toBe('what-doctor-checks-and-what-it-doesnt')
  })
})
