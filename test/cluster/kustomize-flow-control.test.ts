import { Agent, fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/cluster/agent-process.ts'
import { succeeded } from '../support/cluster/api.ts'
import { AGENT, applyManifests, type Manifest, pathOf } from '../support/cluster/manifests.ts'
import { dryRun, render } from './kustomize.ts'
import { sharedControlPlane } from './shared.ts'

const shared = sharedControlPlane()
const dispatcher = new Agent({ connect: { ca: shared.ca } })
interface Stored {
  readonly metadata: { readonly uid: string }
}

let objects: readonly Manifest[]
let uids: Readonly<Record<string, string>>

beforeAll(async () => {
  await applyManifests(shared)
  objects = (await render('flow-control')).filter(({ apiVersion }) => apiVersion.startsWith('flowcontrol.'))
  const stored = await Promise.all(
    objects.map(async one => {
      const applied = shared.api<Stored>('PATCH', `${pathOf(one)}?fieldManager=installer`, one, 'application/apply-patch+yaml')
      return [one.kind, (await succeeded(`apply ${one.kind}`, applied)).metadata.uid] as const
    })
  )
  uids = Object.fromEntries(stored)
})
afterAll(async () => {
  await Promise.all(objects.map(one => shared.api('DELETE', pathOf(one))))
  await dispatcher.close()
})

/** By which schema the API server took the request, and at which level it was served: their UIDs, which it says in headers. */
async function takenBy(token: string, path: string, method = 'GET', body?: object) {
  const answer = await fetch(`${shared.url}${path}`, {
    dispatcher,
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  await answer.body?.cancel()
  return {
    schema: answer.headers.get('x-kubernetes-pf-flowschema-uid'),
    level: answer.headers.get('x-kubernetes-pf-prioritylevel-uid')
  }
}

describe('the component flow-control', () => {
  test('is a level and a schema, and the API server takes both', async () => {
    expect(objects.map(({ kind }) => kind).toSorted()).toEqual(['FlowSchema', 'PriorityLevelConfiguration'])
    await dryRun(shared, objects)
  })

  const ours = () => ({ schema: uids['FlowSchema'], level: uids['PriorityLevelConfiguration'] })

  test.each([
    ['GET', '/api/v1/nodes/flow-of-nobody'],
    ['GET', '/api/v1/nodes?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=flow-of-nobody'],
    ['PATCH', '/api/v1/nodes/flow-of-nobody'],
    ['PATCH', '/api/v1/nodes/flow-of-nobody/status'],
    ['POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews'],
    ['GET', '/version']
  ])("puts the agent's request %s %s into the agents' own level", async (method, path) => {
    const token = await shared.tokenFor({ ...AGENT, nodeName: 'flow-own' })
    const body = method === 'GET' ? undefined : {}
    await eventually('the schema is in force', async () => (await takenBy(token, '/version')).schema === uids['FlowSchema'])
    expect(await takenBy(token, path, method, body)).toEqual(ours())
  })

  test('and nobody else: not another account, not even of the same namespace', async () => {
    for (const wish of [
      { namespace: 'default', serviceAccount: AGENT.serviceAccount },
      { namespace: AGENT.namespace, serviceAccount: 'somebody' }
    ]) {
      const taken = await takenBy(await shared.tokenFor(wish), '/version')
      expect(taken.schema).toMatch(/^[0-9a-f-]{36}$/)
      expect(taken.schema).not.toBe(uids['FlowSchema'])
      expect(taken.level).not.toBe(uids['PriorityLevelConfiguration'])
    }
  })

  test('which is a small part of the API server, and cannot grow beyond twice that', async () => {
    const { body } = await shared.api<string>('GET', '/metrics')
    const seats = (kind: string) =>
      [...body.matchAll(new RegExp(`^apiserver_flowcontrol_${kind}_limit_seats\\{priority_level="([^"]+)"\\} (\\d+)`, 'gm'))].map(
        ([, level, value]) => [level as string, Number(value)] as const
      )
    const nominal = seats('nominal')
    const [own = 0, all] = [new Map(nominal).get('berth-agent'), nominal.reduce((sum, [, value]) => sum + value, 0)]
    console.info(`of ${all} requests at a time, ${own} are the agents'`)
    expect(own).toBeGreaterThanOrEqual(10)
    expect(own / all).toBeLessThan(0.05)
    expect(new Map(seats('upper')).get('berth-agent')).toBe(2 * own)
    expect(new Map(seats('lower')).get('berth-agent')).toBe(own / 2)
  })
})
