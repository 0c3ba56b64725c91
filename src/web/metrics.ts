import process from 'node:process'
import Counter from 'prom-client/lib/counter.js'
import Gauge from 'prom-client/lib/gauge.js'
import Histogram from 'prom-client/lib/histogram.js'
import resident from 'prom-client/lib/metrics/osMemoryHeap.js'
import maxFiles from 'prom-client/lib/metrics/processMaxFileDescriptors.js'
import openFiles from 'prom-client/lib/metrics/processOpenFileDescriptors.js'
import start from 'prom-client/lib/metrics/processStartTime.js'
import Registry from 'prom-client/lib/registry.js'
import type { Snapshot } from '../cycle/snapshot.ts'
import { DETECTOR_NAMES } from '../facts/all.ts'
import type { Restart } from '../kubernetes/own-node/watch-restart.ts'
import type { RequestInfo } from '../kubernetes/request-info.ts'
import type { DriftKind } from '../node-sync/drift.ts'
import { RESULTS, type Result, TARGETS, type Target } from '../node-sync/status.ts'
import { REMEDIES, type RemedyName } from '../remedies/all.ts'
import { type Outcome, RESULTS as RESULTS_OF_REMEDIES } from '../remedies/outcome.ts'
import type { Answer, Verdict } from '../verdicts/verdict.ts'

export const DRIFTS = ['removed', 'changed', 'added'] as const satisfies readonly DriftKind[]
export const RESTARTS = [
  'ended',
  'expired',
  'throttled',
  'refused',
  'server',
  'silent',
  'network'
] as const satisfies readonly Restart[]
const STAGES = ['look', 'publish', 'watch', 'heartbeat'] as const
const ANSWERS = ['yes', 'no', 'unknown'] as const satisfies readonly Answer[]

interface Definition {
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  /** The labels, each with its values if they are few and known: these series exist from the start with the value 0. */
  readonly labels: Readonly<Record<string, readonly string[]>>
}

const define = (type: Definition['type'], help: string, labels: Definition['labels'] = {}): Definition => ({ type, help, labels })

/** Values that appear with the first observation. Their number is limited by the tables they come from. */
const LATER: readonly string[] = []

/** All metrics of berth. No label names the node, because Prometheus adds that as a target label. */
export const METRICS = {
  berth_build_info: define('gauge', '1, with the version of berth and of Node.js.', { version: LATER, node_version: LATER }),
  berth_capability: define('gauge', '1 for the current answer, 0 for the other two.', { capability: LATER, answer: ANSWERS }),
  berth_fact_known: define('gauge', '1 when the fact is known, 0 when it is unknown.', { fact: LATER }),
  // Observations are about as frequent as scrapes, so a gauge misses little, and quantiles can be taken over nodes. A histogram would
  // have 250 series for each node, 3.8 million for 15,000 nodes. node_exporter has a gauge for its collectors too.
  berth_detector_duration_seconds: define('gauge', 'Seconds that the detector took in the last observation.', {
    detector: LATER
  }),
  berth_detector_errors_total: define('counter', 'Observations in which the detector could not determine its fact.', {
    detector: DETECTOR_NAMES
  }),
  berth_remedy_runs_total: define('counter', 'Runs of a remedy, by result.', {
    remedy: REMEDIES,
    result: RESULTS_OF_REMEDIES
  }),
  berth_publish_total: define('counter', 'Writes to the Node and of its events, by result.', {
    target: TARGETS,
    result: RESULTS
  }),
  berth_drift_repaired_total: define('counter', 'Repairs of labels that somebody else had changed.', { kind: DRIFTS }),
  berth_drift_repair_seconds: define('histogram', 'Seconds from noticing a changed label until it was repaired.'),
  berth_drift_contested_labels: define('gauge', 'Labels whose repair is paused because somebody else keeps changing them.'),
  berth_api_requests_total: define('counter', 'Requests to the Kubernetes API, by HTTP status; 0 without an answer.', {
    verb: LATER,
    resource: LATER,
    code: LATER
  }),
  berth_watch_restarts_total: define('counter', 'Times that the watch of the Node was reopened.', { reason: RESTARTS }),
  berth_last_success_timestamp_seconds: define('gauge', 'Time of the last success of the stage, 0 before the first one.', {
    stage: STAGES
  }),
  berth_admission_guard_enforced: define('gauge', '1 when the API refuses what the admission policy must refuse, else 0.')
} as const satisfies Readonly<Record<string, Definition>>

type MetricName = keyof typeof METRICS

/** Seconds; the promise is a median of 0.1 and at most 1. */
const REPAIR_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60]

export interface Metrics {
  /** Called once for each observation. */
  readonly observeSnapshot: (snapshot: Snapshot) => void
  readonly published: (target: Target, result: Result) => void
  readonly driftRepaired: (kind: DriftKind, seconds: number) => void
  readonly driftContested: (labels: number) => void
  /** `code`: HTTP status, 0 when there was no answer. */
  readonly apiRequest: (request: RequestInfo, code: number) => void
  readonly watchRestarted: (reason: Restart) => void
  readonly success: (stage: (typeof STAGES)[number], at: Date) => void
  readonly guard: (isEnforced: boolean) => void
  readonly remedyRun: (remedy: RemedyName, result: Outcome['result']) => void
  /** All metrics in the text format of Prometheus. Simultaneous scrapes share one result. */
  readonly text: () => Promise<string>
  readonly contentType: string
}

/** The metrics of one agent, in their own registry. Counters start at 0, so that the first increase is visible. */
export function createMetrics({ version }: { readonly version: string }): Metrics {
  const registry = new Registry()
  for (const collect of [processorTime, resident, openFiles, maxFiles, start]) collect(registry)
  const { gauge, counter, histogram } = register(registry)
  gauge('berth_build_info').set({ version, node_version: process.versions.node }, 1)
  const guard = gauge('berth_admission_guard_enforced')
  guard.remove() // no value before the first check
  let scrape: Promise<string> | undefined
  return {
    observeSnapshot: snapshot => observe(snapshot, { gauge, counter }),
    published: (target, result) => counter('berth_publish_total').inc({ target, result }),
    driftRepaired: (kind, seconds) => {
      counter('berth_drift_repaired_total').inc({ kind })
      histogram('berth_drift_repair_seconds').observe(seconds)
    },
    driftContested: labels => gauge('berth_drift_contested_labels').set(labels),
    apiRequest: ({ verb, resource }, code) => counter('berth_api_requests_total').inc({ verb, resource, code: codeLabel(code) }),
    watchRestarted: reason => counter('berth_watch_restarts_total').inc({ reason }),
    success: (stage, at) => gauge('berth_last_success_timestamp_seconds').set({ stage }, at.getTime() / 1000),
    guard: isEnforced => guard.set(isEnforced ? 1 : 0),
    remedyRun: (remedy, result) => counter('berth_remedy_runs_total').inc({ remedy, result }),
    text: () => {
      scrape ??= registry.metrics().finally(() => {
        scrape = undefined
      })
      return scrape
    },
    contentType: registry.contentType
  }
}

/** Other numbers come from bugs or broken proxies and must not create a series each. */
const codeLabel = (code: number): string => (Number.isInteger(code) && code >= 100 && code <= 599 ? String(code) : '0')

function observe({ facts, verdicts, durations }: Snapshot, { gauge, counter }: Pick<Registered, 'gauge' | 'counter'>): void {
  for (const { name: capability, answer } of Object.values(verdicts) as readonly Verdict[]) {
    for (const each of ANSWERS) gauge('berth_capability').set({ capability, answer: each }, each === answer ? 1 : 0)
  }
  for (const [fact, { known }] of Object.entries(facts)) {
    gauge('berth_fact_known').set({ fact }, known ? 1 : 0)
    if (!known && (DETECTOR_NAMES as readonly string[]).includes(fact))
      counter('berth_detector_errors_total').inc({ detector: fact })
  }
  for (const [detector, seconds] of Object.entries(durations)) {
    gauge('berth_detector_duration_seconds').set({ detector }, seconds)
  }
}

/** The same metric as prom-client's own, which would load OpenTelemetry (50 kB). */
const processorTime = (registry: Registry): Counter =>
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    }
  })

interface Registered {
  readonly gauge: (name: MetricName) => Gauge
  readonly counter: (name: MetricName) => Counter
  readonly histogram: (name: MetricName) => Histogram
}

function register(registry: Registry): Registered {
  const made = new Map<MetricName, Gauge | Counter | Histogram>()
  for (const [name, { type, help, labels }] of Object.entries(METRICS) as [MetricName, Definition][]) {
    const common = { name, help, labelNames: Object.keys(labels), registers: [registry] }
    if (type === 'histogram') made.set(name, new Histogram({ ...common, buckets: REPAIR_BUCKETS }))
    else made.set(name, atZero(type === 'gauge' ? new Gauge(common) : new Counter(common), labels))
  }
  const get = (name: MetricName) => made.get(name) as unknown
  return {
    gauge: name => get(name) as Gauge,
    counter: name => get(name) as Counter,
    histogram: name => get(name) as Histogram
  }
}

function atZero<T extends Gauge | Counter>(metric: T, labels: Definition['labels']): T {
  const series = Object.entries(labels).reduce<readonly Readonly<Record<string, string>>[]>(
    (before, [label, values]) => before.flatMap(one => values.map(value => ({ ...one, [label]: value }))),
    [{}]
  )
  for (const one of series) metric.inc(one, 0)
  return metric
}
