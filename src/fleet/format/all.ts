import type { Config } from '../../cli/config.ts'
import { painter } from '../../paint.ts'
import { poolAdvice } from '../autoscaler.ts'
import type { Fleet } from '../summary.ts'
import { adviceText } from './autoscaler.ts'
import { capabilityText } from './capability.ts'
import { fleetCsv } from './csv.ts'
import { fleetJson } from './json.ts'
import { fleetPage } from './page.ts'
import { fleetTable } from './text.ts'

/** The fleet in the format of the options, in parts: 15,000 Nodes are several megabytes of text. */
export function formatted(fleet: Fleet, config: Config): Iterable<string> {
  const { format, capability, why, autoscaler } = config.options
  const paint = painter(config.screen)
  if (autoscaler) return advice(fleet, config)
  if (format === 'json') return fleetJson(fleet)
  if (format === 'csv') return fleetCsv(fleet, { why })
  if (format === 'html') return fleetPage(fleet)
  return capability === '' ? fleetTable(fleet, paint, { why }) : capabilityText(fleet, capability, paint)
}

function advice(fleet: Fleet, { options, screen }: Config): Iterable<string> {
  const pools = fleet.pools.map(pool => poolAdvice(pool, fleet, options['startup-taint']))
  if (options.format === 'json') return [`${JSON.stringify({ schema: 1, pools })}\n`]
  return pools.length === 0 ? ['This cluster has no nodes.\n'] : [pools.map(one => adviceText(one, painter(screen))).join('\n')]
}
