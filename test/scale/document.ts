import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plot } from './plot.ts'
import { type Cost, type Recorded, recorded } from './recorded.ts'
import { STORMS, type StormResult } from './storm/storms.ts'

const DOCS = join(import.meta.dirname, '../../docs')

/** The files of `docs/` that follow from what was recorded, by name. Pure. */
export const documents = ({ fleet, storms }: Recorded): Readonly<Record<string, string>> => ({
  'scale.md': `${[...head, ...costTables(fleet), ...stormTables(storms)].join('\n')}\n`,
  'storms.svg': plot(storms)
})

export async function writeDocuments(): Promise<void> {
  for (const [name, text] of Object.entries(documents(recorded()))) await writeFile(join(DOCS, name), text)
}

const head = [
  '# What a fleet of agents costs',
  '',
  '`npm run scale` writes this page in about 50 minutes. It measures real agents against a real etcd and kube-apiserver, and simulates 15,000',
  'agents when something happens to all of them at once.',
  ''
]

const table = (columns: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${columns.join(' | ')} |`,
  `|${columns.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`,
  ...rows.map(row => `| ${row.join(' | ')} |`),
  ''
]

/** As many digits as a measurement deserves. */
function shown(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 1 ? 1 : 2)
}

/** What one agent costs in an hour. */
interface Rates {
  readonly agents: number
  readonly requests: number
  readonly bytes: number
  readonly etcdWrites: number
  readonly cpu: number
  /** MiB that the API server holds more than before the agents came, an agent. */
  readonly memory: number
}

function ratesOf({ alone, run }: Cost): Rates {
  const hourly = (counted: number, idle = 0): number => ((counted / run.seconds - idle / alone.seconds) * 3600) / run.agents
  return {
    agents: run.agents,
    requests: hourly(Object.values(run.requests).reduce((sum, count) => sum + count, 0)),
    bytes: hourly(run.bytesReceived + run.bytesSent),
    etcdWrites: hourly(run.etcdWrites, alone.etcdWrites),
    cpu: hourly(run.apiServerCpu, alone.apiServerCpu),
    memory: (run.apiServerMemory - alone.apiServerMemory) / run.agents
  }
}

function costTables(fleet: Recorded['fleet']): readonly string[] {
  const costs = Object.values(fleet).sort((a, b) => a.run.agents - b.run.agents)
  const rates = costs.map(ratesOf)
  const largest = rates.at(-1)
  if (largest === undefined) return []
  const kinds = [...new Set(costs.flatMap(({ run }) => Object.keys(run.requests)))].sort()
  return [
    '## Measured at rest',
    '',
    'The agents run as in the daemon: loop, watch, patch and back-off, in real time. Several hundred share a process; each has a Node of 20 kB, a',
    'token bound to that Node, and its own connection. etcd, API server and agents share one machine with 2 cores. Counting starts 400 s after the',
    'first agent, when watches are renewed as often as in the long run. What the control plane uses without agents is subtracted.',
    '',
    'Per agent and hour:',
    '',
    ...table(
      ['', ...rates.map(({ agents }) => `${shown(agents)} agents`)],
      [
        ['measured on', ...costs.map(({ date }) => date)],
        ['at commit', ...costs.map(({ commit }) => commit)],
        ['measured for', ...costs.map(({ run }) => `${run.seconds} s`)],
        ['connections', ...costs.map(({ run }) => `${run.connections} in all`)],
        ['requests', ...rates.map(({ requests }) => shown(requests))],
        ...kinds.map(kind => [
          `· ${kind}`,
          ...costs.map(({ run }) => shown((((run.requests[kind] ?? 0) / run.seconds) * 3600) / run.agents))
        ]),
        ['bytes on the wire, both ways', ...rates.map(({ bytes }) => `${shown(bytes / 1000)} kB`)],
        ['writes to etcd', ...rates.map(({ etcdWrites }) => shown(etcdWrites))],
        ['CPU of the API server', ...rates.map(({ cpu }) => `${shown(cpu)} s`)],
        ['memory of the API server (per agent, at rest)', ...rates.map(({ memory }) => `${shown(memory * 1024)} KiB`)]
      ]
    ),
    'Memory is how much more the API server holds than before the first agent started, when the Nodes already existed. It is resident memory and',
    'includes what Go’s garbage collector has not returned.',
    '',
    '## Derived for large clusters',
    '',
    `The figures of berth are derived from the measurement with ${shown(largest.agents)} agents. Those of Node Feature Discovery (NFD) 0.20 are`,
    'derived in the same way from measurements on one node and on a master with 200 nodes: a GET of 99 kB per minute and node, and 0.4 MiB of the',
    'master’s memory per node.',
    '',
    ...table(['', 'berth, 5,000 nodes', 'berth, 15,000 nodes', 'NFD, 5,000 nodes', 'NFD, 15,000 nodes'], derived(largest))
  ]
}

function derived({ requests, bytes, etcdWrites, cpu, memory }: Rates): readonly (readonly string[])[] {
  const sizes = [5_000, 15_000]
  const berth = (rate: number, unit: string) => sizes.map(nodes => `${shown((rate / 3600) * nodes)}${unit}`)
  return [
    ['requests a second', ...berth(requests, ''), ...sizes.map(nodes => `${shown(nodes / 60)} GET`)],
    ['traffic a second', ...berth(bytes / 1000, ' kB'), ...sizes.map(nodes => `${shown((nodes / 60) * 99)} kB`)],
    ['writes to etcd a second', ...berth(etcdWrites, ''), '0', '0'],
    ['cores of the API server', ...berth(cpu, ''), 'not measured', 'not measured'],
    ['memory of the API server', ...sizes.map(nodes => `${shown(memory * nodes)} MiB`), 'not measured', 'not measured'],
    ['memory of a central component', 'there is none', 'there is none', ...sizes.map(nodes => `${shown(nodes * 0.4)} MiB`)],
    [
      'a pass over all nodes',
      'each agent its own node, at once',
      'the same',
      ...sizes.map(nodes => `about ${shown(nodes / 50)} s (derived)`)
    ]
  ]
}

function stormTables(storms: Recorded['storms']): readonly string[] {
  const results = Object.entries(storms).map(([name, result]) => [name, STORMS[name]?.title ?? name, result] as const)
  return [
    '## Storms, simulated with 15,000 agents',
    '',
    'The agent’s own code (watch, back-off, label writer, guard check) runs in simulated time against a simulated API server. Only the observation',
    'of the node is replaced, by a recorded one. Every request counts, also refused ones and connections to a closed port. With every change, a',
    'test simulates 500 agents, and fails if the code does not send the recorded requests.',
    '',
    '![Requests a second in each storm](storms.svg)',
    '',
    'Grey marks how long the cause lasts. The dashed line is the limit that a test enforces.',
    '',
    ...table(
      [
        'storm',
        'cause lasts',
        'peak, requests/s',
        'busiest 5 s',
        'requests in all',
        'all labels right, after the cause',
        'back to normal, after the cause'
      ],
      results.map(([, title, result]) => [title, ...cells(result)])
    ),
    'The counts include the heartbeats of those minutes. “Back to normal” is the end of the last second with more than twice the usual requests',
    'plus 30. These causes are assumed:',
    '',
    ...results.map(([name, title]) => `- **${title}:** ${STORMS[name]?.cause}.`)
  ]
}

const cells = ({ cause, peak, sustained, total, rightAfter, calmAfter }: StormResult): readonly string[] => [
  `${Math.round(cause)} s`,
  ...[peak, sustained, total].map(shown),
  ...[rightAfter, calmAfter].map(seconds => (seconds === 0 ? 'at once' : `${seconds} s`))
]
