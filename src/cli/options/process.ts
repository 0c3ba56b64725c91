import { LEVELS, type LogLevel } from '../../log-level.ts'
import { type OptionTable, option, switchOption } from './option.ts'
import { expected, oneOf, parseDuration } from './parsers.ts'

/** How long a command runs, how often it repeats its work, and what it logs and serves. */
export const PROCESS_OPTIONS = {
  once: switchOption({ commands: ['run', 'helper'], does: 'run one cycle, then exit' }),
  'dry-run': switchOption({ commands: ['uninstall', 'helper'], does: 'print what would be done, and change nothing' }),
  interval: option({
    form: 'DURATION',
    fallback: '60s',
    commands: ['run', 'helper'],
    does: 'time between two observations of the node, 10 % more or less',
    parse: parseDuration(1_000)
  }),
  heartbeat: option({
    form: 'DURATION',
    fallback: '5m',
    commands: ['run', 'doctor', 'fleet'],
    does: "time between two heartbeats of the Node's condition, 10 % more or less",
    parse: parseDuration(10_000)
  }),
  'unknown-after': option({
    form: 'DURATION',
    fallback: '10m',
    commands: ['run'],
    does: 'how long a fact that cannot be read keeps its last value',
    parse: parseDuration(0)
  }),
  listen: option({
    form: 'ADDRESS',
    fallback: ':9642',
    commands: ['run', 'doctor'],
    does: 'address of the metrics, the probes and the status page, as host:port',
    parse: text => (/:\d{1,5}$/.test(text) ? text : expected('host:port, or :port for all addresses'))
  }),
  'log-level': option({
    form: LEVELS.join('|'),
    fallback: 'info',
    commands: ['run', 'helper', 'devices'],
    does: 'lowest level that is logged; the signal SIGUSR2 switches to debug and back',
    parse: oneOf<LogLevel>(...LEVELS)
  }),
  'log-format': option({
    form: 'json|pretty',
    fallback: 'json',
    commands: ['run', 'helper', 'devices'],
    does: 'json: one JSON object per line; pretty: lines for people',
    parse: oneOf('json', 'pretty')
  })
} as const satisfies OptionTable
