import type { Command } from '../cli/command.ts'
import { reportJson } from '../node-sync/report.ts'
import { painter } from '../paint.ts'
import { printable } from '../printable.ts'
import { reportTable } from '../report/terminal-report.ts'
import { observeNode } from './observe-node.ts'

/** Observes once and prints the report. Changes nothing. */
export const report: Command = async (config, { print, clock }) => {
  const snapshot = await observeNode(config, clock)
  const { format, 'label-prefix': prefix } = config.options
  if (format === 'json') print(`${printable(JSON.stringify(reportJson(snapshot, prefix)))}\n`)
  else print(reportTable(snapshot, prefix, painter(config.screen)))
  return 0
}
