import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { V1Node } from '../../src/kubernetes/models.ts'
import { formatFleet, recordedFleet } from '../support/recorded-fleet.ts'
import { startBrowser } from './browser.ts'

let browser: Browser
let [directory, url, few] = ['', '', '']
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-fleet-page-'))
  const nodes = await recordedFleet()
  url = await fileOf('fleet', nodes)
  // One of each kind, stale, cordoned, bare and rebooted ones too: what axe does for forty takes seconds.
  few = await fileOf(
    'few',
    [0, 10, 20, 34, 39].map(index => nodes[index] as V1Node)
  )
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await rm(directory, { recursive: true })
})

/** As somebody would keep it: one file. Resolves to its URL. */
async function fileOf(name: string, nodes: readonly V1Node[]): Promise<string> {
  const path = join(directory, `${name}.html`)
  await writeFile(path, formatFleet(nodes, ['--format', 'html']))
  return pathToFileURL(path).href
}

const SIGHTS = [360, 1400].flatMap(width => (['light', 'dark'] as const).map(colorScheme => ({ width, colorScheme })))
type Sight = (typeof SIGHTS)[number]

/** Shows the file to `use`, and returns what the browser complained of, and whatever else was asked for. */
async function visit(sight: Sight, use: (page: Page) => Promise<void>, file = url) {
  const context = await browser.newContext({ viewport: { width: sight.width, height: 900 }, colorScheme: sight.colorScheme })
  const wrong: string[] = []
  const asked: string[] = []
  try {
    const page = await context.newPage()
    page.on('console', message => wrong.push(message.text()))
    page.on('pageerror', error => wrong.push(String(error)))
    page.on('request', request => asked.push(request.url()))
    await page.goto(file)
    await use(page)
    return { wrong, asked: asked.filter(one => one !== file && !one.startsWith('data:')) }
  } finally {
    await context.close()
  }
}

const overhang = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth') as Promise<number>

describe.each(SIGHTS)('at $width px in $colorScheme', sight => {
  test('it fits the screen, expanded and collapsed, and loads nothing from elsewhere', async () => {
    const found = await visit(sight, async page => {
      expect(await overhang(page)).toBe(0)
      await page.locator('details.pool > summary').first().click()
      await expect.poll(() => page.locator('details.pool[open]').count()).toBe(4)
      expect(await overhang(page)).toBe(0)
    })
    expect(found).toEqual({ wrong: [], asked: [] })
  })
})

// Each width and each scheme once: it takes seconds.
test.each([SIGHTS[0], SIGHTS[3]] as readonly Sight[])('axe finds nothing at $width px in $colorScheme', async sight => {
  await visit(
    sight,
    async page => {
      const { violations, passes } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html.slice(0, 200)) }))).toEqual([])
      expect(passes.map(({ id }) => id)).toContain('color-contrast')
    },
    few
  )
})

test.each([360, 1400])('a table is one to those who do not see it, at %i px too', async width => {
  await visit({ width, colorScheme: 'light' }, async page => {
    expect(await page.getByRole('columnheader', { name: 'cached-cvm', exact: true }).count()).toBe(6)
    expect(await page.getByRole('rowheader', { name: /^ip-10-20-/ }).count()).toBe(40)
    for (const role of ['banner', 'main', 'contentinfo'] as const) expect(await page.getByRole(role).count(), role).toBe(1)
    expect(await page.title()).toBe('What 40 nodes can host (berth)')
    // A name has the room that there is: at most two lines of it.
    const box = await page.getByRole('rowheader', { name: /^ip-10-20-30-112/ }).boundingBox()
    expect(box?.width).toBeGreaterThan(250)
    expect(box?.height).toBeLessThan(60)
  })
})

test('a hostile text runs nothing, and a long one fits', async () => {
  const take = "document.title='taken'"
  const text = `"><script>${take}</script><img src=x onerror="${take}"><style>*{display:none}</style>${'x'.repeat(200)}`
  const verdicts = { cvm: { answer: 'no', because: text, cautions: [], ways: [0] } }
  const annotations = { 'berth.dev/report': JSON.stringify({ verdicts, ways: [text] }) }
  const labels = { 'berth.dev/cvm': 'false', 'eks.amazonaws.com/nodegroup': text }
  const file = await fileOf('hostile', [{ metadata: { name: text, labels, annotations } }])
  for (const width of [360, 1400]) {
    const found = await visit(
      { width, colorScheme: 'light' },
      async page => {
        expect(await page.locator('main script, main img, main style').count()).toBe(0)
        expect(await page.title()).toBe('What 1 node can host (berth)')
        expect(await page.getByRole('rowheader').last().isVisible()).toBe(true)
        expect(await overhang(page)).toBe(0)
      },
      file
    )
    expect(found).toEqual({ wrong: [], asked: [] })
  }
})
