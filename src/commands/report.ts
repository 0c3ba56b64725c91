import { printable } from '../printable.ts'
import { painter } from '../publish/paint.ts'
import { reportJson } from '../publish/report.ts'
import { reportTable } from '../publish/table.ts'
import type { Command } from './command.ts'
import { look } from './look.ts'

/** One look, no change. */
export const report: Command = async (config, { print, clock }) => {
  const snapshot = await look(config, clock)
  const { format, 'label-prefix': prefix } = config.options
  if (format === 'json') print(`${printable(JSON.stringify(reportJson(snapshot, prefix)))}\n`)
  else print(reportTable(snapshot, prefix, painter(config.screen)))
  return 0
}
