import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dump } from 'js-yaml'
import { type Config, parseConfig } from '../../src/cli/config.ts'
import { observeNode } from '../../src/commands/observe-node.ts'
import type { Snapshot } from '../../src/cycle/snapshot.ts'
import type { Fact } from '../../src/facts/fact.ts'
import { parseNode } from '../../src/facts/node-object.ts'
import { type FactName, observe } from '../../src/facts/observe.ts'
import { writeRecording } from '../../src/host/recorded.ts'
import { witness } from '../../src/host/witness.ts'
import { painter } from '../../src/paint.ts'
import { factText } from '../../src/report/fact-text.ts'
import { labelLines, remedyLines, section, wayOutLines, workspaceLines } from '../../src/report/terminal-report.ts'
import { type Machine, playedHost } from './played.ts'

export const NODES = dirname(fileURLToPath(import.meta.url))
export const GOLDENS = join(NODES, '../golden')

/** Time stands still, so that two runs give the same bytes. */
export const CLOCK = { elapsed: () => 0, now: () => new Date(0) }

export const recordingFile = (name: string): string => join(NODES, `${name}.yaml`)
export const nodeFile = (name: string): string => join(NODES, `${name}.node.yaml`)

/** The files of one machine in this folder, by name: all that the detectors asked and were answered, and its Node object. */
export async function recordingOf(name: string, machine: Machine): Promise<Readonly<Record<string, string>>> {
  const eyes = witness(playedHost(machine))
  const node = machine.node && parseNode(machine.node)
  await observe({ host: eyes.host, node, podSecurity: undefined }, CLOCK.elapsed)
  // Without a Node object more is asked (the cloud by DMI), and the recording is to serve both.
  await observe({ host: eyes.host, node: undefined, podSecurity: undefined }, CLOCK.elapsed)
  const heading = `# ${machine.about}.\n# Source: ${machine.source}.\n`
  return {
    [`${name}.yaml`]: heading + writeRecording(eyes.testimony(), []),
    ...(machine.node === undefined ? {} : { [`${name}.node.yaml`]: heading + dump(machine.node, { lineWidth: -1 }) })
  }
}

const COLUMNS = 100

/** What `berth report` is asked for a recorded node. */
export const configOf = (name: string, ...more: readonly string[]): Config =>
  parseConfig(
    ['report', '--host-root', recordingFile(name), ...(existsSync(nodeFile(name)) ? ['--node', nodeFile(name)] : []), ...more],
    { COLUMNS: `${COLUMNS}` },
    { isTTY: false }
  )

/** The report of a recorded node as it is printed, but for the facts, which stand without the files they were read from. */
export async function golden(name: string): Promise<string> {
  const config = configOf(name)
  const snapshot = await observeNode(config, CLOCK)
  const paint = painter(config.screen)
  return [
    section('Workspaces', workspaceLines(snapshot, paint), paint),
    section('Facts', factLines(snapshot), paint),
    section('Labels', labelLines(snapshot, config.options['label-prefix'], paint), paint),
    section('Ways out', wayOutLines(snapshot, paint), paint),
    section('Remedies', remedyLines(snapshot, paint), paint)
  ]
    .filter(text => text !== '')
    .join('\n')
}

/** The same for every recorded node. */
const OMITTED: readonly FactName[] = ['boot-id', 'pod-security']

const factLines = ({ facts }: Snapshot): readonly string[] =>
  (Object.entries(facts) as [FactName, Fact<unknown>][]).flatMap(([name, fact]) =>
    OMITTED.includes(name) ? [] : [`  ${name.padEnd(19)}${fact.known ? factText(name, facts) : `unknown: ${fact.why}`}`]
  )
