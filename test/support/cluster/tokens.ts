import { type Answer, type Api, succeeded } from './api.ts'

export interface TokenWish {
  readonly namespace: string
  readonly serviceAccount: string
  /** The node that the token shall name; without it the token carries no claim of a node. */
  readonly nodeName?: string
}

interface NewObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: object
}

interface Identified {
  readonly metadata: { readonly uid: string }
}

/**
 * A token as the kubelet would mount it into a pod of that ServiceAccount on that node. The API server takes the node claim
 * from the Pod object, so that no kubelet has to run; `node-uid` joins only if the Node exists by then.
 * The namespace, the ServiceAccount and the Pod are created where they are missing.
 */
export async function tokenFor(api: Api, { namespace, serviceAccount, nodeName }: TokenWish): Promise<string> {
  const inside = `/api/v1/namespaces/${namespace}`
  await ensure(api, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } }
  await ensure(api, `${inside}/serviceaccounts`, account)
  const bound = nodeName === undefined ? {} : { boundObjectRef: await podOn(api, inside, { serviceAccount, nodeName }) }
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600, ...bound } }
  const issued = await succeeded(
    `token for ${namespace}/${serviceAccount}`,
    api<{ status: { token: string } }>('POST', `${inside}/serviceaccounts/${serviceAccount}/token`, request)
  )
  return issued.status.token
}

async function podOn(api: Api, inside: string, { serviceAccount, nodeName }: { serviceAccount: string; nodeName: string }) {
  const name = `${serviceAccount}-on-${nodeName}`
  const containers = [{ name: 'never-run', image: 'image.example/never-run' }]
  const spec = { nodeName, serviceAccountName: serviceAccount, automountServiceAccountToken: false, containers }
  const pod = await ensure(api, `${inside}/pods`, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
  return { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid }
}

async function ensure(api: Api, collection: string, object: NewObject): Promise<Identified> {
  const created: Answer<Identified> = await api('POST', collection, object)
  const what = `${object.kind} ${object.metadata.name}`
  if (created.status !== 409) return succeeded(`create ${what}`, Promise.resolve(created))
  return succeeded(`read ${what}`, api('GET', `${collection}/${object.metadata.name}`))
}
