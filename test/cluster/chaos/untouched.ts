import { isDeepStrictEqual } from 'node:util'
import { nodeOf } from '../../support/cluster/agent-process.ts'
import type { ControlPlane } from '../../support/cluster/control-plane.ts'
import type { NodeObject } from '../../support/cluster/nodes.ts'
import type { Home } from './stage.ts'

type Texts = Readonly<Record<string, string>>

const OURS = /^berth\.dev\//
const OUR_CONDITIONS: readonly unknown[] = ['WorkspaceNodeReady', 'LabelsPublished']

/** All of a Node that is not ours. */
function foreign({ metadata: { labels, annotations }, spec, status }: NodeObject) {
  const others = (texts: Texts = {}) => Object.fromEntries(Object.entries(texts).filter(([key]) => !OURS.test(key)))
  const conditions = (status['conditions'] as readonly { readonly type: string }[]).filter(
    ({ type }) => !OUR_CONDITIONS.includes(type)
  )
  return { labels: others(labels), annotations: others(annotations), spec, status: { ...status, conditions } }
}

interface Managed {
  readonly manager?: string
  readonly fieldsV1?: unknown
}

/** The names of all fields in `managedFields` of an entry: `f:labels`, `k:{"type":"Ready"}`. */
const fieldsOf = (fields: unknown): readonly string[] =>
  typeof fields === 'object' && fields !== null
    ? Object.entries(fields).flatMap(([name, inner]) => [name, ...fieldsOf(inner)])
    : []

/** What the API server says that we wrote, and that is neither a key of ours nor a condition of ours. */
function strayFields({ metadata }: NodeObject): readonly string[] {
  const written = (metadata.managedFields as readonly Managed[]).filter(({ manager }) => manager === 'berth')
  const isKey = (name: string) => name.includes('/') || name.startsWith('k:')
  const isOurs = (name: string) =>
    OURS.test(name.slice(2)) || OUR_CONDITIONS.some(type => name === `k:${JSON.stringify({ type })}`)
  return written.flatMap(({ fieldsV1 }) => fieldsOf(fieldsV1)).filter(name => isKey(name) && !isOurs(name))
}

/** What of others is not as they left it, as sentences. `own` are the labels that the second writer put on every Node but the bystander. */
export async function foreignChanges(
  cluster: ControlPlane,
  homes: readonly Home[],
  own: Texts,
  bystander: NodeObject
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const { name, before } of homes) {
    const after = await nodeOf(cluster, name).read()
    const wanted = foreign(before)
    const expected = { ...wanted, labels: { ...wanted.labels, ...own } }
    if (!isDeepStrictEqual(foreign(after), expected)) {
      wrong.push(
        `${name} was changed in what is not ours: ${JSON.stringify(foreign(after))}, expected ${JSON.stringify(expected)}`
      )
    }
    wrong.push(...strayFields(after).map(field => `${name}: ${field} is attributed to berth`))
  }
  const { resourceVersion } = (await nodeOf(cluster, bystander.metadata.name).read()).metadata
  if (resourceVersion !== bystander.metadata.resourceVersion) wrong.push('a Node without an agent was written to')
  return wrong
}
