import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { termsOf } from '../../../src/cli/command.ts'
import { parseConfig } from '../../../src/cli/config.ts'
import { cycle } from '../../../src/cycle/cycle.ts'
import type { Snapshot } from '../../../src/cycle/snapshot.ts'
import { parseNode } from '../../../src/facts/node-object.ts'
import type { FactName } from '../../../src/facts/observe.ts'
import { readTimes, statusJson } from '../../../src/node-sync/status.ts'
import { REMEDIES } from '../../../src/remedies/all.ts'
import type { Verdict } from '../../../src/verdicts/verdict.ts'
import { page, STYLE_HASH } from '../../../src/web/page.ts'
import { html, textOf } from '../../../src/web/page-html.ts'
import { span } from '../../../src/web/page-parts.ts'
import { machines } from '../../nodes/machines.ts'
import { type Machine, playedHost } from '../../nodes/played.ts'
import { AT, snapshotOf, statusOf } from '../../support/recorded-snapshot.ts'

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf('bottlerocket-fresh')
})

/** What a browser would show of it, near enough: tags gone, the five entities back. */
const seen = (text: string): string =>
  text
    .replace(/<style>[\s\S]*<\/style>|<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] ?? '')
    .replace(/\s+/g, ' ')

describe('the page', () => {
  test('shows every verdict, fact, way out, remedy, label and write', () => {
    const status = statusOf(snapshot)
    const text = seen(page(status))
    for (const { name, because, wayOut } of Object.values(snapshot.verdicts) as Verdict[]) {
      for (const part of [name, because, ...wayOut]) expect(text).toContain(part)
    }
    for (const name of Object.keys(snapshot.facts)) expect(text).toContain(name)
    for (const { remedy, because } of snapshot.plan)
      expect(text).toMatch(new RegExp(`${remedy} . [a-z ]+ ${RegExp.escape(because)}`))
    for (const [key, value] of Object.entries(status.labels)) expect(text).toContain(`${key} ${value}`)
    for (const { what } of status.lastWrites) expect(text).toContain(what)
  })

  test('shows for each verdict the files and what was read there', () => {
    const text = seen(page(statusOf(snapshot)))
    expect(text).toMatch(
      /✕ no user namespaces user\.max_user_namespaces is 0 from the fact user-namespaces .*\/proc\/sys\/user\/max_user_namespaces 0/
    )
  })

  test('shows the result of a remedy, its time, and the last lines of output', () => {
    const because = 'the build failed: no gcc'
    const tried = { remedy: 'shiftfs', result: 'failed', because, at: '2026-11-03T09:58:05.000Z', tail: 'make: <gcc>\n' } as const
    const left = { remedy: 'user-namespaces', result: 'forbidden', because: 'no permit', at: '', tail: '' } as const
    const text = page(statusOf({ ...snapshot, outcomes: [tried, left] }))
    expect(seen(text)).toContain(
      `shiftfs ✕ failed ${because} tried at 09:58:05 UTC , 2 min 12 s ago Last lines of output make: <gcc> `
    )
    expect(seen(text)).toMatch(/user-namespaces \? not permitted no permit (?!tried)/)
    expect(text).toContain('<pre class="tail">make: &lt;gcc&gt;\n</pre>')
  })

  test.each([
    ['applied', '✓ applied'],
    ['ineffective', '✕ no effect'],
    ['blocked', '✕ not possible'],
    ['not-needed', '– not needed']
  ] as const)('calls the outcome %s "%s"', (result, words) => {
    const outcome = { remedy: 'shiftfs', result, because: 'so', at: '', tail: '' } as const
    expect(seen(page(statusOf({ ...snapshot, outcomes: [outcome] })))).toContain(`shiftfs ${words} so`)
  })

  test('is marked as unknown, with the time when it was last known', () => {
    const facts = {
      ...snapshot.facts,
      yama: { known: false, why: 'EIO (input/output error)', evidence: [] }
    } as Snapshot['facts']
    const later = '2026-11-03T10:09:00.000Z'
    const lost = { ...snapshot, at: later, facts }
    const readAt = readTimes(readTimes({}, snapshot), lost)
    expect(readAt.yama).toBe(AT)
    expect(readAt.kernel).toBe(later)
    expect(seen(page(statusOf(lost, { readAt })))).toContain('yama ? unknown EIO (input/output error) last known at 10:00:05 UTC')
    expect(seen(page(statusOf(lost, { readAt: {} })))).toContain('yama ? unknown EIO (input/output error) never known')
  })

  test.each([
    [{ guard: undefined }, 'Admission guard ? not checked yet'],
    [{ guard: false }, 'Admission guard ✕ not enforced'],
    [{ guard: true }, 'Admission guard ✓ enforced'],
    [{ snapshot: undefined }, 'The first observation of this node is not finished yet.'],
    [{ lastWrites: [] }, 'Nothing was written yet.'],
    [{ drift: { removed: 2, changed: 1, added: 0 } }, 'Repaired labels 2 restored, 1 corrected'],
    [
      { api: { server: 'https://10.0.0.1', state: 'disconnected', since: AT, lastError: 'nothing listens there' } as const },
      '✕ disconnected since 10:00:05 UTC https://10.0.0.1 nothing listens there'
    ],
    [{ startedAt: '2027-01-01T00:00:00.000Z' }, 'up for an unknown time']
  ])('with %j says so', (more, text) => {
    expect(seen(page(statusOf(snapshot, more)))).toContain(text)
  })

  test('has no script and no inline style, and loads nothing from elsewhere', () => {
    const text = page(statusOf(snapshot))
    expect(text).not.toMatch(/<script|<iframe|<form|<img|\son\w+=|\sstyle=|javascript:/i)
    const targets = [...text.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, target]) => target as string)
    expect(targets.filter(target => !/^(#fact-[\w-]+|\/status\.json|\/metrics|data:image\/svg\+xml,.*)$/.test(target))).toEqual(
      []
    )
    expect(text.match(/<style>/g)).toHaveLength(1)
    expect(STYLE_HASH).toMatch(/^sha256-[\w+/]{43}=$/)
  })

  test.each(Object.keys(machines))('of %s is small, and whole', async name => {
    const text = page(statusOf(await snapshotOf(name)))
    expect(Buffer.byteLength(text)).toBeLessThan(200_000)
    expect(text).not.toMatch(/undefined|\[object|NaN/)
    expect(balance(text)).toEqual([])
  })
})

const VOID = ['meta', 'link', 'br', 'path', 'rect', '!doctype']

/** Tags that are opened and not closed, or closed and not opened. */
function balance(text: string): readonly string[] {
  const open: string[] = []
  for (const [, slash, name = ''] of text.replace(/<style>[\s\S]*<\/style>/, '').matchAll(/<(\/?)([a-z!][a-z0-9]*)\b[^>]*>/g)) {
    if (VOID.includes(name)) continue
    if (slash === '') open.push(name)
    else if (open.pop() !== name) return [`</${name}>`]
  }
  return open
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'onmouseover='alert(1)",
  '</style><svg onload=alert(1)>',
  '</td></tr></table><iframe src=//evil>',
  '<!--',
  ']]>',
  '&lt;script&gt;',
  '\u202etxt.exe',
  '\0\u001b[31m'
]

/** Every text of a status in whose place a node, a person or an API could put one of its own. */
function poisoned(text: string): ReturnType<typeof statusOf> {
  const evidence = [{ source: `/proc/${text}`, saw: text }]
  const facts = Object.fromEntries(
    Object.entries(snapshot.facts).map(([name], index) => [
      name,
      index % 2 ? { known: false, why: text, evidence } : { ...snapshot.facts[name as FactName], evidence }
    ])
  ) as unknown as Snapshot['facts']
  const poison = (verdict: Verdict): Verdict => ({
    ...verdict,
    name: text,
    because: text,
    cautions: [text],
    wayOut: [text],
    parts: verdict.parts.map(poison)
  })
  const verdicts = Object.fromEntries(
    Object.entries(snapshot.verdicts).map(([name, verdict]) => [name, poison(verdict as Verdict)])
  )
  const plan = snapshot.plan.map(step => ({ ...step, remedy: text as 'shiftfs', because: text }))
  const tried = { result: 'failed', because: text, at: text, tail: text } as const
  const outcomes = [{ remedy: text as 'shiftfs', ...tried }]
  const distro = { known: true, evidence, value: { id: text, version: text, name: text, like: [text], variant: text } } as const
  return statusOf(
    { ...snapshot, facts: { ...facts, distro }, verdicts: verdicts as unknown as Snapshot['verdicts'], plan, outcomes },
    {
      node: text,
      version: text,
      at: text,
      startedAt: text,
      labels: { [text]: text },
      lastWrites: [{ at: text, target: text as 'labels', what: text, result: 'written' }],
      api: { server: text, state: text as 'connected', since: text, lastError: text }
    }
  )
}

describe('a hostile text', () => {
  test.each(HOSTILE)('%j stays text wherever it appears', text => {
    const calm = tagsOf(page(poisoned('calm')))
    expect(tagsOf(page(poisoned(text)))).toEqual(calm)
    expect(balance(page(poisoned(text)))).toEqual([])
  })

  test('of any kind creates no tag and no attribute', () => {
    const calm = tagsOf(page(poisoned('calm')))
    const units = ['<', '>', '"', "'", '&', '=', '/', '`', '!', '-', ' ', '\n', 'a', 'script', 'onload', '\u2028', '\ud800']
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...units), minLength: 1, maxLength: 30 }), text => {
        expect(tagsOf(page(poisoned(text)))).toEqual(calm)
      }),
      { numRuns: 30 }
    )
  })

  test('never passes for a template', () => {
    const fake = JSON.parse('{"html":"<script>","toString":"<script>"}')
    expect(() => textOf(html`<p>${fake}</p>`)).not.toThrow()
    expect(textOf(html`<p>${fake}</p>`)).not.toContain('<script>')
    expect(textOf(html`<p title="${`"'<>&`}">${['a', 1, html`<b>${'<i>'}</b>`]}</p>`)).toBe(
      '<p title="&quot;&#39;&lt;&gt;&amp;">a1<b>&lt;i&gt;</b></p>'
    )
    expect(textOf(html`${'a\tb\nc\u001bd\u202ee'}`)).toBe('a\tb\nc\\u001bd\\u202ee')
  })
})

/** The tags with the names of their attributes, as a browser's parser would find them. */
const tagsOf = (text: string): readonly string[] =>
  [...text.matchAll(/<(\/?[a-z!][\w-]*)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(
    ([, name, attributes = '']) => `${name}${attributes.replace(/="[^"]*"/g, '')}`
  )

describe('the status as JSON', () => {
  test('contains the whole report, and what only an agent knows', () => {
    const told = JSON.parse(statusJson(statusOf(snapshot)))
    expect(told).toMatchObject({
      schema: 1,
      node: 'ip-10-20-30-40.eu-central-1.compute.internal',
      lookedAt: AT,
      guard: true,
      api: { state: 'connected' },
      drift: { removed: 1 },
      facts: { kernel: { known: true, value: { release: '6.12.37' }, readAt: AT } },
      verdicts: { podman: { answer: 'no', because: 'user.max_user_namespaces is 0' } }
    })
    expect(told.plan).toHaveLength(REMEDIES.length)
    expect(told.outcomes).toEqual([])
    expect(Object.keys(told.facts)).toEqual(Object.keys(snapshot.facts))
  })

  test('is valid before the first observation', () => {
    expect(JSON.parse(statusJson(statusOf(snapshot, { snapshot: undefined, guard: undefined, readAt: {} })))).toMatchObject({
      lookedAt: null,
      guard: null,
      facts: {},
      verdicts: {},
      plan: []
    })
  })

  test.each([[page], [statusJson]])('shows only the parts of the Node that decide (%#)', async tell => {
    const machine = machines['eks-al2'] as Machine
    const metadata = {
      name: 'own',
      labels: { 'sysbox-runtime': 'running', 'corp.example/cost-center': 'SECRET1' },
      annotations: { 'corp.example/owner': 'SECRET2' }
    }
    const node = { ...(machine.node as object), kind: 'Node', metadata, spec: { providerID: 'aws:///eu-central-1a/i-SECRET3' } }
    const sources = { host: playedHost(machine), node: parseNode(node), podSecurity: undefined }
    const clock = { elapsed: () => 0, now: () => new Date(AT) }
    const found = await cycle(sources, termsOf(parseConfig([], {}, {})), clock)
    expect(JSON.stringify(found.facts.node)).toContain('SECRET3')
    const text = tell(statusOf(found))
    expect(text.match(/SECRET\d|cost-center|corp\.example|providerId|annotations/g)).toBe(null)
    if (tell === statusJson) expect(JSON.parse(text).facts.node.value.labels).toEqual({ 'sysbox-runtime': 'running' })
  })

  test('contains the entries of maps', async () => {
    const told = JSON.parse(statusJson(statusOf(await snapshotOf('aks-ubuntu-24.04'))))
    expect(Object.keys(told.facts.apparmor.value.profiles.value ?? {}).length).toBeGreaterThan(0)
  })
})

test.each([[page], [statusJson]])(
  "of the kernel's command line only the parts that were searched for are shown (%#)",
  async tell => {
    const line = 'root=/dev/sda1 lockdown=none ds=nocloud;s=http://10.0.0.9/?key=hunter2 admin_password=hunter2\n'
    const node = await snapshotOf('ubuntu-24.04', { '/proc/cmdline': line })
    const text = tell(statusOf(node))
    expect(text).toContain('lockdown=none')
    expect(text).not.toContain('hunter2')
    const other = tell(statusOf(await snapshotOf('ubuntu-24.04', { '/proc/cmdline': 'admin_password=hunter2\n' })))
    expect(other).toContain('nothing relevant in it')
    expect(other).not.toContain('hunter2')
  }
)

test.each([
  ['2026-11-03T10:00:00.000Z', '2026-11-03T10:00:00.900Z', '0 s'],
  ['2026-11-03T10:00:00.000Z', '2026-11-03T10:00:12.000Z', '12 s'],
  ['2026-11-03T10:00:00.000Z', '2026-11-03T13:12:59.000Z', '3 h 12 min'],
  ['2026-11-03T10:00:00.000Z', '2026-11-04T10:00:01.000Z', '1 d'],
  ['2026-11-03T10:00:00.000Z', '2026-11-03T09:00:00.000Z', ''],
  ['garbage', '2026-11-03T09:00:00.000Z', '']
])('from %s to %s it is "%s"', (from, to, text) => {
  expect(span(from, to)).toBe(text)
})
