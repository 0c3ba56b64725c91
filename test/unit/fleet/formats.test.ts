import { beforeAll, describe, expect, test } from 'vitest'
import type { V1Node } from '../../../src/kubernetes/models.ts'
import { span } from '../../../src/web/page-parts.ts'
import { bareNode, formatFleet, recordedFleet } from '../../support/recorded-fleet.ts'

let nodes: readonly V1Node[]
beforeAll(async () => {
  nodes = await recordedFleet()
})

/** RFC 4180 to the letter: quotes are doubled inside quotes, a line ends with CRLF, and bare quotes are an error. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]]
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/y
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const found = cell.exec(text)
    if (found === null) throw new Error(`no CSV at ${at}: ${text.slice(at, at + 60)}`)
    rows.at(-1)?.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
    if (found[3] === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

/** A Node whose label, name and reason are what somebody hostile would write. */
const hostile = (text: string): V1Node => {
  const verdicts = { cvm: { answer: 'no', because: text, cautions: [text], ways: [0] } }
  return {
    metadata: {
      name: text,
      labels: { 'berth.dev/cvm': 'false', 'eks.amazonaws.com/nodegroup': text },
      annotations: { 'berth.dev/report': JSON.stringify({ version: text, verdicts, ways: [text] }) }
    }
  }
}

describe('csv', () => {
  test('has a row of names, and one for each node, all of the same length', () => {
    const [head, ...rows] = parseCsv(formatFleet(nodes, ['--format', 'csv']))
    const names = ['cvm', 'cached-cvm', 'gpu', 'gpu-cvm', 'podman', 'sysbox', 'userns', 'kvm']
    expect(head).toEqual(['node', 'pool', 'agent', 'heartbeat', 'version', 'notes', ...names])
    expect(rows).toHaveLength(40)
    for (const row of rows) expect(row).toHaveLength(14)
    const beat = '2026-11-03T09:58:00.000Z'
    expect(rows.find(([name]) => name?.startsWith('ip-10-20-32-111.'))).toEqual([
      'ip-10-20-32-111.eu-central-1.compute.internal',
      ...['EKS node group ubuntu-22', 'fresh', beat, '0.1.0', 'cordoned'],
      ...['yes', 'no', 'no', 'no', 'yes', 'no', 'no', 'no']
    ])
    expect(rows.find(([name]) => name?.startsWith('ip-10-20-32-120.'))?.slice(2)).toEqual(['absent', ...Array(11).fill('')])
  })

  test('has the reasons next to the answers', () => {
    const [head, ...rows] = parseCsv(formatFleet(nodes, ['--format', 'csv', '--why', '--capability', 'podman']))
    expect(head?.slice(6)).toEqual(['podman', 'podman why'])
    expect(rows.filter(row => row[7] === 'user.max_user_namespaces is 0')).toHaveLength(3)
  })

  test.each(['a,b', 'say "no"', "it's", 'a;b', ' spaced ', '""', ','])('keeps %j as it is', text => {
    const [, row] = parseCsv(formatFleet([hostile(text)], ['--format', 'csv', '--why']))
    expect([row?.[0], row?.[4], row?.[7]]).toEqual([text, text, text])
  })

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =cmd|"/c calc"!A1', '＝1+1', '＠x', '＋1', '－1'])(
    'makes no formula of %j',
    text => {
      const [, row] = parseCsv(formatFleet([hostile(text)], ['--format', 'csv', '--why']))
      expect([row?.[0], row?.[4], row?.[7]]).toEqual(Array(3).fill(`'${text}`))
    }
  )

  test.each([
    ['fine;=1+1', "fine;'=1+1"],
    ['a; -1;@x', "a;' -1;'@x"],
    ['a;"=1"', 'a;\'"=1"'],
    ['=1;＝2', "'=1;'＝2"]
  ])('makes no formula of %j where a semicolon ends a cell', (text, kept) => {
    const [, row] = parseCsv(formatFleet([hostile(text)], ['--format', 'csv', '--why']))
    expect([row?.[0], row?.[4], row?.[7]]).toEqual(Array(3).fill(kept))
  })

  test('does not let a text end its line or hide a formula behind a control character', () => {
    const text = formatFleet([hostile('x\r\n\t=1\u0000')], ['--format', 'csv', '--why'])
    expect(text.split('\r\n')).toHaveLength(3)
    expect(text).not.toMatch(/[\t\0]/)
  })
})

interface Json {
  readonly schema: number
  readonly nodes: readonly {
    readonly name: string
    readonly pool: { readonly kind: string; readonly name: string }
    readonly agent: { readonly standing: string; readonly heartbeat: string | null; readonly version: string | null }
    readonly notes: readonly string[]
    readonly capabilities: Readonly<Record<string, { readonly answer: string; readonly because: string }>>
  }[]
  readonly [field: string]: unknown
}

describe('json', () => {
  const parsed = (of: readonly V1Node[], ...args: readonly string[]) =>
    JSON.parse(formatFleet(of, ['--format', 'json', ...args])) as Json

  test('has the fields of its schema, and no others', () => {
    const fleet = parsed(nodes)
    expect(Object.keys(fleet)).toEqual(['schema', 'at', 'server', 'counts', 'agents', 'ways', 'pools', 'nodes'])
    expect(fleet).toMatchObject({
      schema: 1,
      at: '2026-11-03T10:00:00.000Z',
      server: 'https://10.0.0.1:6443',
      counts: { cvm: { yes: 34, no: 3, unknown: 0, absent: 1, outdated: 2 } },
      agents: { fresh: 37, stale: 1, rebooted: 1, absent: 1 }
    })
    expect((fleet['pools'] as unknown[])[0]).toMatchObject({
      kind: 'eks',
      name: 'al2023',
      nodes: 9,
      counts: { podman: { yes: 8, no: 0, unknown: 0, absent: 1, outdated: 0 } }
    })
    expect(fleet.nodes).toHaveLength(40)
    for (const node of fleet.nodes) {
      expect(Object.keys(node)).toEqual(['name', 'pool', 'agent', 'notes', 'capabilities'])
      expect(Object.keys(node.agent)).toEqual(['standing', 'heartbeat', 'version'])
      for (const told of Object.values(node.capabilities)) {
        expect(told).toEqual({
          answer: expect.stringMatching(/^(yes|no|unknown)$/),
          because: expect.stringMatching(/./),
          cautions: expect.any(Array),
          ways: expect.any(Array)
        })
      }
    }
  })

  test('has no heartbeat, version or answers for a node without an agent', () => {
    expect(parsed([bareNode('n')]).nodes).toEqual([
      {
        name: 'n',
        pool: { kind: 'none', name: '' },
        agent: { standing: 'absent', heartbeat: null, version: null },
        notes: [],
        capabilities: {}
      }
    ])
  })

  test('is complete without nodes, and with --capability has no other capability', () => {
    expect(parsed([])).toMatchObject({ pools: [], nodes: [] })
    const gpu = parsed(nodes, '--capability', 'gpu')
    for (const part of [gpu['counts'], gpu['ways'], gpu.nodes[0]?.capabilities]) expect(Object.keys(part ?? {})).toEqual(['gpu'])
  })
})

describe('html', () => {
  test('is one file without scripts, and loads nothing from elsewhere', () => {
    const page = formatFleet(nodes, ['--format', 'html'])
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">[\s\S]*<\/html>\n$/)
    const links = [...page.matchAll(/\b(?:src|href|action|data|poster|srcset)="([^"]*)"|url\(([^)]*)\)|@import\s+(\S+)/g)]
    expect(links.map(([, attribute, style, imported]) => (attribute ?? style ?? imported ?? '').slice(0, 19))).toEqual([
      'data:image/svg+xml,'
    ])
    expect(page).not.toMatch(/<(script|iframe|object|embed|form|base)\b|\son\w+=|javascript:/i)
    expect(page.match(/https?:\/\/[^"< ]*/g)).toEqual(['https://10.0.0.1:6443'])
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`)
  })

  test('shows every node once, every pool, and what would help', () => {
    const page = formatFleet(nodes, ['--format', 'html'])
    for (const { metadata } of nodes)
      expect(page.split(`<th role="rowheader" scope="row">${metadata?.name}</th>`)).toHaveLength(2)
    expect(page.match(/<details class="pool" open>/g)).toHaveLength(5)
    expect(page).toContain('<p>34 can, 3 cannot, 1 without label, 2 out of date</p>')
    expect(page).toContain(`stale: last heartbeat ${span('2026-10-31T21:15:00.000Z', '2026-11-03T10:00:00.000Z')} ago`)
    expect(page).toContain('Use an Ubuntu 22.04 image whose kernel has shiftfs (linux-modules-extra).')
  })

  test.each(['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'--></style><svg/onload=alert(1)>", '&lt;b&gt;'])(
    'escapes %s wherever it stands',
    text => {
      const page = formatFleet([hostile(text)], ['--format', 'html'])
      const escaped = text.replace(/[&<>"']/g, char => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' }[char]};`)
      expect(page).not.toContain(text)
      // Pool, node, reason, caution and way out.
      expect(page.split(escaped).length).toBeGreaterThan(5)
    }
  )

  test('is collapsed at first with many nodes, and says if there are none', () => {
    const many = Array.from({ length: 101 }, (_, index) => bareNode(`n-${index}`))
    expect(formatFleet(many, ['--format', 'html'])).toContain('<details class="pool">')
    expect(formatFleet([], ['--format', 'html'])).toContain('This cluster has no nodes.')
  })
})
