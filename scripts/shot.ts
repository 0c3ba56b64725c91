import { AxeBuilder } from '@axe-core/playwright'
import { startBrowser } from '../test/agent/browser.ts'
const b = await startBrowser()
for (const width of [360, 1400]) for (const colorScheme of ['light','dark'] as const) {
  const c = await b.newContext({ viewport: { width, height: 900 }, colorScheme })
  const p = await c.newPage()
  p.on('console', m => console.log(m.text()))
  await p.goto('file:///tmp/fleet.html')
  console.log(width, colorScheme, await p.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), await p.evaluate('document.documentElement.scrollHeight'))
  await p.screenshot({ path: `/tmp/shot-${width}-${colorScheme}.png`, fullPage: false })
  await p.screenshot({ path: `/tmp/full-${width}-${colorScheme}.png`, fullPage: true })
  const { violations } = await new AxeBuilder({ page: p }).analyze()
  console.log(violations.map(v => [v.id, v.impact, v.nodes.length, v.nodes[0]?.html.slice(0,200)]))
  await c.close()
}
await b.close()
