import { termsOf } from '../../src/cli/command.ts'
import { parseConfig } from '../../src/cli/config.ts'
import { cycle } from '../../src/cycle/cycle.ts'
import type { Snapshot } from '../../src/cycle/snapshot.ts'
import { parseNode } from '../../src/facts/node-object.ts'
import { labels } from '../../src/node-sync/labels.ts'
import { readTimes, type Status } from '../../src/node-sync/status.ts'
import { machines } from '../nodes/machines.ts'
import { type Machine, playedHost } from '../nodes/played.ts'

export const AT = '2026-11-03T10:00:05.000Z'
const CLOCK = { elapsed: () => 0, now: () => new Date(AT) }

/** One look at a machine of the table, at a moment that stands still; `tree` changes its files. */
export function snapshotOf(name: string, tree: Machine['tree'] = {}): Promise<Snapshot> {
  const machine = machines[name] as Machine
  const host = playedHost({ ...machine, tree: { ...machine.tree, ...tree } })
  const node = machine.node && parseNode(machine.node)
  return cycle({ host, node, podSecurity: undefined }, termsOf(parseConfig([], {}, {})), CLOCK)
}

/** What an agent would say of a node twelve seconds after that look. */
export const statusOf = (snapshot: Snapshot, more: Partial<Status> = {}): Status => ({
  at: '2026-11-03T10:00:17.000Z',
  node: 'ip-10-20-30-40.eu-central-1.compute.internal',
  version: '0.1.0',
  startedAt: '2026-11-01T07:48:02.000Z',
  snapshot,
  readAt: readTimes({}, snapshot),
  labels: labels(snapshot, 'berth.dev'),
  lastWrites: [
    { at: '2026-11-03T09:58:11.000Z', target: 'labels', what: 'podman: true → false', result: 'written' },
    { at: '2026-11-03T09:58:10.000Z', target: 'condition', what: 'WorkspaceNodeReady: True', result: 'conflict' },
    { at: '2026-11-01T07:48:03.000Z', target: 'taint', what: 'the startup taint removed', result: 'written' }
  ],
  api: { server: 'https://10.0.0.1:443', state: 'connected', since: '2026-11-03T09:12:40.000Z', lastError: '' },
  guard: true,
  drift: { removed: 1, changed: 0, added: 0 },
  ...more
})
