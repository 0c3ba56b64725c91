import { rootOnly } from './modes.ts'
import { type Entry, locked, type Machine, normalised, type Tree, unreadable } from './played.ts'

/** The agent's user and group (manifests/base/daemonset.yaml); it has no other group and no capability. */
export const AGENT = 65_532

/** The machine as the agent sees it from its pod, where it also runs no program of the node. */
export const asUser = (machine: Machine): Machine => ({
  ...machine,
  tree: { ...machine.tree, ...closed(machine), ...hiddenProcesses(machine) },
  programs: {}
})

function closed(machine: Machine): Tree {
  const things = normalised(machine.tree)
  const entries = rootOnly(machine).flatMap(({ path }): readonly (readonly [string, Entry])[] => {
    const thing = things.get(path)
    if (typeof thing === 'string') return [[path, unreadable('EACCES')]]
    return thing?.kind === 'directory' ? [[path, locked('EACCES')]] : []
  })
  return Object.fromEntries(entries)
}

/** proc(5), hidepid: 1 lets nobody into the directories of other users' processes, and from 2 on they are not there at all. */
function hiddenProcesses({ tree }: Machine): Tree {
  const mounts = tree['/proc/1/mountinfo']
  const [, level] = / - proc \S+ \S*\bhidepid=(\w+)/.exec(typeof mounts === 'string' ? mounts : '') ?? []
  if (level === undefined || level === '0' || level === 'off') return {}
  const entry = level === '1' || level === 'noaccess' ? locked('EPERM') : undefined
  const processes = [...normalised(tree).keys()].filter(path => /^\/proc\/\d+$/.test(path))
  return Object.fromEntries(processes.map(path => [path, entry]))
}
