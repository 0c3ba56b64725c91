import { oursOf } from '../support/cluster/agent-process.ts'
import type { NodeObject } from '../support/cluster/nodes.ts'

/** Flags of a control plane whose etcd keeps every version of everything, as JSON. */
export const KEEPS_HISTORY = ['--storage-media-type', 'application/json', '--etcd-compaction-interval', '0'] as const

export type Labels = Readonly<Record<string, string>>

/**
 * Our labels in every version of a Node that there ever was, oldest first, from the first that has any. Read from etcd itself: a
 * watch has gaps when the API server dies, and this has none. The control plane must be one that `KEEPS_HISTORY`.
 */
export async function historyOf(etcd: string, name: string): Promise<readonly Labels[]> {
  const versions: Labels[] = []
  for (let found = await versionAt(etcd, name, 0); found !== undefined; found = await versionAt(etcd, name, found.revision - 1)) {
    versions.unshift(oursOf(found.node))
  }
  const first = versions.findIndex(labels => Object.keys(labels).length > 0)
  return first < 0 ? [] : versions.slice(first)
}

interface Version {
  readonly node: NodeObject
  readonly revision: number
}

/** As of that revision of etcd, 0 for the newest; `undefined` where the Node did not exist yet. */
async function versionAt(etcd: string, name: string, revision: number): Promise<Version | undefined> {
  const key = Buffer.from(`/registry/minions/${name}`).toString('base64')
  const answer = await fetch(`${etcd}/v3/kv/range`, { method: 'POST', body: JSON.stringify({ key, revision }) })
  if (!answer.ok) throw new Error(`etcd answered ${answer.status}: ${await answer.text()}`)
  const { kvs } = (await answer.json()) as { readonly kvs?: readonly { readonly value: string; readonly mod_revision: string }[] }
  const [found] = kvs ?? []
  if (found === undefined) return undefined
  const node = JSON.parse(Buffer.from(found.value, 'base64').toString()) as NodeObject
  return { node, revision: Number(found.mod_revision) }
}

/** What each key said one after the other, without repetitions; `absent` where it was not there. */
export function storyOf(versions: readonly Labels[], ignored: (key: string, value: string) => boolean): Record<string, string[]> {
  const story: Record<string, string[]> = {}
  for (const key of new Set(versions.flatMap(Object.keys))) {
    const values = versions.map(labels => labels[key] ?? 'absent').filter(value => !ignored(key, value))
    story[key] = values.filter((value, index) => value !== values[index - 1])
  }
  return story
}
