/** What alerts say of given series: promtool plays them, a sample a minute, and looks at one moment. */
export interface Case {
  /** What is so, for people. */
  readonly when: string
  /** Samples in the notation of promtool: `1x5` is 1 and five more times 1; `stale` is a target that is gone. */
  readonly series: Readonly<Record<string, string>>
  readonly at: string
  /** The labels of each alert that fires then, beside its name and severity; `value` is what it is told with. */
  readonly fires: readonly (Readonly<Record<string, string>> & { readonly value?: string })[]
}

const pod = 'namespace="berth", pod="berth-abc", instance="10.0.0.7:9642"'
const own = `job="berth", node="node-1", ${pod}`
const up = `up{${own}}`
const desired = 'kube_daemonset_status_desired_number_scheduled{namespace="berth", daemonset="berth", job="kube-state-metrics"}'
const ready = desired.replace('desired_number_scheduled', 'number_ready')
const success = (stage: string) => `berth_last_success_timestamp_seconds{${own}, stage="${stage}"}`
const guard = `berth_admission_guard_enforced{${own}}`
const ran = (result: string) => `berth_remedy_runs_total{${own}, remedy="user-namespaces", result="${result}"}`
const can = (answer: string, instance = '10.0.0.7:9642') =>
  `berth_capability{job="berth", node="node-1", instance="${instance}", capability="cvm", answer="${answer}"}`
const contested = `berth_drift_contested_labels{${own}}`
const repaired = (kind: string) => `berth_drift_repaired_total{${own}, kind="${kind}"}`
const node = { node: 'node-1' }

/** For each alert: when it fires, when it does not fire yet, and what must never make it fire. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  BerthAgentDown: [
    {
      ...{ when: 'a target does not answer for 10 minutes', series: { [up]: '1x5 0x30' }, at: '17m' },
      fires: [{ job: 'berth', namespace: 'berth', pod: 'berth-abc', instance: '10.0.0.7:9642', ...node }]
    },
    { when: 'not yet', series: { [up]: '1x5 0x30' }, at: '15m', fires: [] },
    { when: 'a pod is gone and its target with it', series: { [up]: '1x5 stale' }, at: '30m', fires: [] },
    { when: 'another job does not answer', series: { 'up{job="other"}': '0x40' }, at: '30m', fires: [] }
  ],
  BerthAgentMissing: [
    {
      ...{ when: 'two nodes of five have no ready agent', series: { [desired]: '5x60', [ready]: '5x10 3x50' }, at: '42m' },
      fires: [{ namespace: 'berth', daemonset: 'berth', job: 'kube-state-metrics', value: '2' }]
    },
    { when: 'a rolling update takes its time', series: { [desired]: '5x60', [ready]: '5x10 4x20 5x30' }, at: '45m', fires: [] },
    {
      ...{ when: 'it is another DaemonSet', at: '45m', fires: [] },
      series: {
        [desired.replace('"berth", job', '"other", job')]: '5x60',
        [ready.replace('"berth", job', '"other", job')]: '0x60'
      }
    }
  ],
  BerthAgentStale: [
    {
      ...{ when: 'the node cannot be looked at any more', series: { [success('look')]: '0+60x10 600x60' }, at: '36m' },
      fires: [{ ...node, stage: 'look' }]
    },
    { when: 'not yet', series: { [success('look')]: '0+60x10 600x60' }, at: '34m', fires: [] },
    {
      when: 'nothing was ever published',
      series: { [success('publish')]: '0x60' },
      at: '30m',
      fires: [{ ...node, stage: 'publish' }]
    },
    { when: 'heartbeats come', series: { [success('heartbeat')]: '0+60x5 300x4 600x5 900x40' }, at: '20m', fires: [] },
    { when: 'a watch is quiet, as it may be', series: { [success('watch')]: '0x60' }, at: '50m', fires: [] }
  ],
  BerthGuardNotEnforced: [
    { when: 'the policy is taken away', series: { [guard]: '1x10 0x30' }, at: '27m', fires: [{ ...node }] },
    { when: 'not yet', series: { [guard]: '1x10 0x30' }, at: '24m', fires: [] },
    { when: 'it was not tried', series: { [up]: '1x60' }, at: '40m', fires: [] }
  ],
  BerthRemedyFailing: [
    {
      ...{
        when: 'a remedy fails, again and again',
        series: { [ran('failed')]: '0x5 1x20 2x40', [ran('applied')]: '0x80' },
        at: '40m'
      },
      fires: [{ ...node, remedy: 'user-namespaces' }]
    },
    {
      ...{ when: 'it ran and changed nothing', series: { [ran('ineffective')]: '0x5 1x60' }, at: '40m' },
      fires: [{ ...node, remedy: 'user-namespaces' }]
    },
    {
      ...{ when: 'the second try helped', series: { [ran('failed')]: '0x5 1x60', [ran('applied')]: '0x20 1x60' }, at: '45m' },
      fires: []
    },
    { when: 'nothing is permitted', series: { [ran('forbidden')]: '0+1x80' }, at: '60m', fires: [] },
    { when: 'it was long ago', series: { [ran('failed')]: '0x5 1x300' }, at: '4h', fires: [] }
  ],
  BerthCapabilityLost: [
    {
      ...{ when: 'a yes becomes a no', series: { [can('yes')]: '1x30 0x60', [can('no')]: '0x30 1x60' }, at: '47m' },
      fires: [{ ...node, capability: 'cvm', answer: 'no' }]
    },
    { when: 'not yet', series: { [can('yes')]: '1x30 0x60', [can('no')]: '0x30 1x60' }, at: '44m', fires: [] },
    {
      ...{ when: 'a yes becomes unknown', series: { [can('yes')]: '1x30 0x60', [can('unknown')]: '0x30 1x60' }, at: '47m' },
      fires: [{ ...node, capability: 'cvm', answer: 'unknown' }]
    },
    { when: 'the node never could', series: { [can('yes')]: '0x90', [can('no')]: '1x90' }, at: '80m', fires: [] },
    {
      ...{ when: 'a new agent says yes as the old one did', at: '60m', fires: [] },
      series: {
        ...{ [can('yes')]: '1x30 stale', [can('no')]: '0x30 stale' },
        ...{ [can('yes', '10.0.0.8:9642')]: '_x30 1x60', [can('no', '10.0.0.8:9642')]: '_x30 0x60' }
      }
    },
    {
      ...{ when: 'a new agent says no', at: '60m', fires: [{ ...node, capability: 'cvm', answer: 'no' }] },
      series: {
        ...{ [can('yes')]: '1x30 stale', [can('no')]: '0x30 stale' },
        ...{ [can('yes', '10.0.0.8:9642')]: '_x30 0x60', [can('no', '10.0.0.8:9642')]: '_x30 1x60' }
      }
    },
    { when: 'it was lost long ago', series: { [can('yes')]: '1x30 0x500', [can('no')]: '0x30 1x500' }, at: '7h', fires: [] }
  ],
  BerthDriftWar: [
    {
      when: 'a label rests again and again',
      series: { [contested]: '0x5 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1x40' },
      at: '18m',
      fires: [node]
    },
    { when: 'labels are set right every minute', series: { [repaired('changed')]: '0+1x60' }, at: '30m', fires: [node] },
    { when: 'it rested once', series: { [contested]: '0x5 1 0x60' }, at: '18m', fires: [] },
    { when: 'somebody removed five labels', series: { [repaired('removed')]: '0x5 5x60' }, at: '30m', fires: [] }
  ]
}
