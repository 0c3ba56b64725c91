import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startBrowser } from '../test/agent/browser.ts'
import { formatFleet, recordedFleet } from '../test/support/recorded-fleet.ts'
import { ROOT } from './steps.ts'

/** In pixels. */
const WIDTH = 900
const MARGIN = 24

/** Writes docs/fleet.png: the top of the page that `berth fleet --format html` prints of the recorded cluster of the tests. */
async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-picture-'))
  const browser = await startBrowser()
  try {
    const file = join(folder, 'fleet.html')
    await writeFile(file, formatFleet(await recordedFleet(), ['--format', 'html']))
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 1000 }, colorScheme: 'light' })
    await page.goto(pathToFileURL(file).href)
    const bars = await page.getByRole('region', { name: 'Workspaces', exact: true }).boundingBox()
    if (bars === null) throw new Error('the page has no region "Workspaces"')
    const height = Math.ceil(bars.y + bars.height + MARGIN)
    await page.screenshot({ path: join(ROOT, 'docs/fleet.png'), clip: { x: 0, y: 0, width: WIDTH, height } })
  } finally {
    await browser.close()
    await rm(folder, { recursive: true })
  }
}

await main()
