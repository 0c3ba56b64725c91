import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Status } from '../../src/node-sync/status.ts'
import { snapshotOf } from '../support/recorded-snapshot.ts'
import { startBrowser } from './browser.ts'
import { type Serving, serve } from './serving.ts'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

const SIGHTS = [360, 1400].flatMap(width => (['light', 'dark'] as const).map(colorScheme => ({ width, colorScheme })))
type Sight = (typeof SIGHTS)[number]

/** Shows a node to `use`, and returns all that went wrong in the browser, and every URL that was asked for. */
async function visit(
  node: string,
  { width, colorScheme }: Sight,
  use: (page: Page) => Promise<void>,
  more: Partial<Status> = {}
) {
  const serving: Serving = await serve(await snapshotOf(node), '127.0.0.1:0', more)
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme })
  const wrong: string[] = []
  const asked: string[] = []
  try {
    const page = await context.newPage()
    page.on('console', message => wrong.push(message.text()))
    page.on('pageerror', error => wrong.push(String(error)))
    page.on('request', request => asked.push(request.url()))
    await page.goto(`http://${serving.address}/`)
    await use(page)
    return { wrong, asked, origin: `http://${serving.address}/` }
  } finally {
    await context.close()
    await serving.close()
  }
}

/** How many pixels the page is wider than what is seen of it. */
const overhang = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth') as Promise<number>

const openAll = (page: Page) => page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")

/** The summaries of the verdicts with that answer, which is the last word of their chip. */
const verdicts = (page: Page, answer: string) => {
  const chip = page.locator('.chip').filter({ hasText: new RegExp(`\\b${answer}$`) })
  return page.locator('details.verdict > summary').filter({ has: chip })
}

const openFirst = (page: Page, selector: string): Promise<void> => page.locator(selector).first().locator('> summary').click()

const DOWN: Partial<Status> = {
  guard: false,
  api: {
    server: 'https://kubernetes.default.svc.cluster.local:443',
    state: 'disconnected',
    since: '2026-11-03T09:12:40.000Z',
    lastError: `cannot watch the Node: ${'x'.repeat(300)}`
  },
  node: `${'very-long-'.repeat(24)}name`
}

describe.each(SIGHTS)('at $width px in $colorScheme', sight => {
  test.each([
    ['bottlerocket-fresh', {}],
    ['dell-a100-mig', {}],
    ['no-sys', DOWN],
    ['eks-al2', { snapshot: undefined }]
  ] as const)('%s fits the screen, closed and open, and asks nobody for anything', async (node, more) => {
    const { wrong, asked, origin } = await visit(
      node,
      sight,
      async page => {
        expect(await overhang(page)).toBe(0)
        await openAll(page)
        expect(await overhang(page)).toBe(0)
      },
      more
    )
    expect(wrong).toEqual([])
    expect(asked.filter(url => url !== origin && !url.startsWith('data:'))).toEqual([])
  })

  test('axe finds nothing, with a verdict of each answer and a fact open', async () => {
    await visit(
      'aks-ubuntu-24.04',
      sight,
      async page => {
        for (const answer of ['yes', 'no', 'unknown']) await verdicts(page, answer).first().click()
        await openFirst(page, '#fact-kernel details')
        const { violations, passes } = await new AxeBuilder({ page }).analyze()
        expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html.slice(0, 200)) }))).toEqual([])
        expect(passes.map(({ id }) => id)).toContain('color-contrast')
      },
      DOWN
    )
  })

  test('a verdict opens and closes by the keyboard alone, and what has the focus is seen', async () => {
    await visit('bottlerocket-fresh', sight, async page => {
      const first = page.locator('details.verdict').first()
      await page.keyboard.press('Tab')
      expect(await page.evaluate("document.activeElement.closest('details.verdict') !== null")).toBe(true)
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
      await page.keyboard.press('Enter')
      await expect.poll(() => first.getAttribute('open')).toBe('')
      expect(await first.getByText('/proc/sys/user/max_user_namespaces', { exact: true }).isVisible()).toBe(true)
      await page.keyboard.press('Space')
      await expect.poll(() => first.getAttribute('open')).toBe(null)
    })
  })

  test('has the colours of the scheme', async () => {
    await visit('bottlerocket-fresh', sight, async page => {
      const ground = (await page.evaluate('getComputedStyle(document.body).backgroundColor')) as string
      const [, red] = /^rgba?\((\d+),/.exec(ground) ?? []
      expect({ ground, isLight: Number(red) > 128 }).toEqual({
        ground: expect.stringMatching(/^rgb/),
        isLight: sight.colorScheme === 'light'
      })
    })
  })
})

describe('to those who do not see it', () => {
  const sight: Sight = { width: 1400, colorScheme: 'light' }

  test('it has a title, a language, landmarks, and headings in order', async () => {
    await visit('bottlerocket-fresh', sight, async page => {
      expect(await page.title()).toBe('ip-10-20-30-40.eu-central-1.compute.internal: what it can host (berth)')
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
      for (const role of ['banner', 'main', 'contentinfo'] as const) expect(await page.getByRole(role).count(), role).toBe(1)
      for (const name of ['Workspaces', 'Ways out', 'Remedies', 'Facts', 'Labels', 'Last writes']) {
        expect(await page.getByRole('region', { name, exact: true }).count(), name).toBe(1)
      }
      await openAll(page)
      const levels = (await page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map(one => Number(one.tagName[1]))"
      )) as number[]
      expect(levels[0]).toBe(1)
      levels.forEach((level, index) => {
        expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1)
      })
    })
  })

  test('tables name their rows and columns, and answers are words', async () => {
    await visit('bottlerocket-fresh', sight, async page => {
      expect(await page.getByRole('rowheader', { name: 'kernel', exact: true }).count()).toBe(1)
      expect(await page.getByRole('columnheader', { name: 'Fact', exact: true }).count()).toBe(1)
      const first = page.locator('details.verdict > summary').first()
      expect(((await first.textContent()) ?? '').replace(/\s+/g, ' ')).toMatch(/no cvm user\.max_user_namespaces is 0/)
    })
  })

  test('a link leads from a verdict to the fact', async () => {
    await visit('bottlerocket-fresh', sight, async page => {
      await openAll(page)
      await page.getByRole('link', { name: 'selinux', exact: true }).first().click()
      await expect.poll(() => page.evaluate("document.querySelector(':target th').textContent")).toBe('selinux')
    })
  })
})

test('a hostile text runs nothing in a real browser', async () => {
  const take = "document.title='taken'"
  const text = `"><script>${take}</script><img src=x onerror="${take}"><style>*{display:none}</style>`
  const snapshot = await snapshotOf('bottlerocket-fresh', {
    '/etc/os-release': `ID=bottlerocket\nPRETTY_NAME='${text.replaceAll("'", '')}'\n`
  })
  const { wrong, asked, origin } = await visit(
    'bottlerocket-fresh',
    { width: 1400, colorScheme: 'light' },
    async page => {
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(text)
      expect(await page.locator('main script, main img, main style').count()).toBe(0)
      expect(await page.title()).toContain('what it can host')
    },
    { node: text, snapshot, lastWrites: [{ at: text, target: 'labels', what: text, result: 'written' }] }
  )
  expect({ wrong, asked }).toEqual({ wrong: [], asked: [origin] })
})
