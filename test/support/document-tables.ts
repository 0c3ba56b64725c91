import { readFileSync } from 'node:fs'
import { COMMANDS } from '../../src/cli/commands.ts'
import { environmentName } from '../../src/cli/environment.ts'
import { OPTIONS } from '../../src/cli/options/all.ts'
import type { Option } from '../../src/cli/options/option.ts'
import { ALL_FACTS } from '../../src/facts/all.ts'
import { FACT_LABELS } from '../../src/node-sync/labels.ts'
import { ALL_CAPABILITIES } from '../../src/verdicts/all.ts'
import { METRICS } from '../../src/web/metrics.ts'
import { kubernetesVersion, OLDEST_RELEASE_TESTS } from './go-programs.ts'

/** A generated part of a page, by the name in its marks. `npm run golden` writes them, and a test compares them with the code. */
export const TABLES = {
  answers: () => output(sectionsOf(readFileSync(SAMPLE, 'utf8'), ['Workspaces', 'Ways out'])),
  report: () => output(sectionsOf(readFileSync(SAMPLE, 'utf8'), ['Workspaces', 'Labels', 'Ways out', 'Remedies'])),
  fleet: () => output(fleetSample()),
  kubernetes: () =>
    table(
      ['Kubernetes', 'what the tests run on it'],
      [
        [
          kubernetesVersion('newest'),
          'everything: the API server with the manifests, the chart and the agent, and a node with kubelet and scheduler'
        ],
        [
          kubernetesVersion('oldest'),
          `the API server: ${OLDEST_RELEASE_TESTS.map(name => code(`test/cluster/${name}.test.ts`)).join(' ')}`
        ]
      ]
    ),
  commands: () =>
    table(
      ['command', 'what it does'],
      Object.entries(COMMANDS).map(([name, { operand, does }]) => [code(`${name} ${operand}`.trim()), does])
    ),
  labels: () =>
    table(
      ['label', 'values', 'shows'],
      [
        ...ALL_CAPABILITIES.map(({ name, describes }) => [code(`berth.dev/${name}`), '`true` `false` `unknown`', describes]),
        ...FACT_LABELS.map(({ name, values, describes }) => [code(`berth.dev/${name}`), values, describes])
      ]
    ),
  facts: () =>
    table(
      ['fact', 'what it is'],
      ALL_FACTS.map(({ name, describes }) => [code(name), describes])
    ),
  images: () =>
    table(
      ['node image', ...IMAGE_COLUMNS.map(code)],
      Object.entries(IMAGES).map(([recorded, title]) => [title, ...IMAGE_COLUMNS.map(name => answerOf(recorded, name))])
    ),
  'agent-sees': () =>
    table(
      ['node image', 'the agent cannot read', 'label that is `unknown` for it', 'what helps'],
      JSON.parse(readFileSync(AGENT_SEES, 'utf8')) as readonly (readonly string[])[]
    ),
  metrics: () =>
    table(
      ['metric', 'type', 'labels', 'meaning'],
      Object.entries(METRICS).map(([name, { type, help, labels }]) => [
        code(name),
        type,
        Object.keys(labels).map(code).join(' '),
        help
      ])
    ),
  options: () =>
    table(
      ['option', 'default', 'environment', 'what it does'],
      (Object.entries(OPTIONS) as [string, Option<unknown>][]).map(([name, { form, fallback, does }]) => [
        code(`--${name} ${form}`.trim()),
        fallback === '' || form === '' ? '' : code(fallback),
        code(environmentName(name)),
        does
      ])
    )
} as const

/** Worked out from the recorded nodes, as root sees them and as the user of the agent does. */
const AGENT_SEES = new URL('../golden/agent-sees.json', import.meta.url)

/** What berth prints of a fresh Bottlerocket node, as the tests hold it. */
const SAMPLE = new URL('../golden/bottlerocket-fresh.txt', import.meta.url)

/** Recorded nodes of clouds, and what people call their images. */
const IMAGES = {
  'gke-cos-6.6': 'GKE, Container-Optimized OS',
  'gke-ubuntu-22.04': 'GKE, Ubuntu 22.04',
  'eks-ubuntu-22.04': 'EKS, Ubuntu 22.04',
  'eks-al2023': 'EKS, Amazon Linux 2023',
  'bottlerocket-fresh': 'EKS, Bottlerocket as it starts',
  'bottlerocket-raised': 'EKS, Bottlerocket with user namespaces on',
  'bottlerocket-auto': 'EKS Auto Mode, with user namespaces on',
  'aks-ubuntu-22.04': 'AKS, Ubuntu 22.04',
  'aks-ubuntu-24.04': 'AKS, Ubuntu 24.04',
  'aks-azure-linux-3': 'AKS, Azure Linux 3',
  'rhcos-4.20': 'OpenShift 4.20, RHEL CoreOS'
} as const

const IMAGE_COLUMNS = ['cvm', 'cached-cvm', 'podman'] as const

/** What berth says of a recorded node, as its golden has it. */
function answerOf(recorded: string, capability: string): string {
  const report = readFileSync(new URL(`../golden/${recorded}.txt`, import.meta.url), 'utf8')
  const [, answer] = new RegExp(`^  ${capability} +(yes|no|unknown) `, 'm').exec(report) ?? []
  if (answer === undefined) throw new Error(`${recorded}: no answer for ${capability}`)
  return answer
}

const FLEET = new URL('../golden/fleet/', import.meta.url)

/** Of what fleet prints of the recorded cluster the head, one of the pools and the end, and what would help. */
function fleetSample(): string {
  const [table, capability] = ['table', 'cached-cvm'].map(name => readFileSync(new URL(`${name}.txt`, FLEET), 'utf8')) as [
    string,
    string
  ]
  const [head] = table.split('\n')
  const pool = /^Karpenter node pool general[\s\S]*?\n\n/m.exec(table)?.[0] ?? ''
  const end = table.slice(table.indexOf('\nall ') + 1)
  const help = capability.slice(capability.indexOf('\nWhat would help') + 1)
  return [
    `$ kubectl berth\n${head}\n…\n${pool}…\n${end}`,
    `$ kubectl berth --capability cached-cvm\n${capability.split('\n')[0]}\n…\n${help.trimEnd()}`
  ].join('\n')
}

/** What a command prints, as a code block. */
const output = (text: string): string => `\`\`\`text\n${text}\n\`\`\``

/** These sections of a report, in the order of the report. */
const sectionsOf = (report: string, titles: readonly string[]): string =>
  report
    .trim()
    .split(/\n\n(?=\S)/)
    .filter(section => titles.includes(section.split('\n')[0] ?? ''))
    .join('\n\n')

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')

/** The page with the tables between their marks as the code has them now. */
export const withTables = (page: string): string =>
  Object.entries(TABLES).reduce(
    (text, [name, render]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- end -->)`),
        (_, open: string, close: string) => `${open}\n\n${render()}\n\n${close}`
      ),
    page
  )
