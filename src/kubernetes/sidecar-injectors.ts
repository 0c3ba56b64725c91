import { METADATA_ONLY } from './call.ts'
import type { Connection } from './connection.ts'
import { asMissingPermission, listObjects } from './list/objects.ts'
import type { V1ObjectMeta } from './models.ts'

interface WithMetadata {
  readonly metadata?: V1ObjectMeta
}

/** Revisions of Istio add their own name: `istio-sidecar-injector-1-28`. */
const INJECTOR = /istio-sidecar-injector|linkerd-proxy-injector/

/** The names of the admission webhooks that put a proxy into pods. Throws `ApiError`. */
export async function sidecarInjectors(connection: Connection, signal: AbortSignal): Promise<readonly string[]> {
  const names: string[] = []
  const webhooks = {
    resource: 'mutatingwebhookconfigurations',
    path: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    metadataOnly: true
  }
  for await (const { metadata } of listObjects<WithMetadata>(connection, webhooks, signal)) {
    if (INJECTOR.test(metadata?.name ?? '')) names.push(metadata?.name ?? '')
  }
  return names
}

/** How a namespace asks for a proxy in its pods (`istio.io/rev=canary`); empty where it does not. Throws `ApiError`. */
export async function injectionOf(connection: Connection, namespace: string, signal: AbortSignal): Promise<string> {
  try {
    const { metadata } = await connection.call<WithMetadata>(
      { action: `read the Namespace "${namespace}"`, ifNotFound: 'check --workspace-namespace' },
      { method: 'GET', path: `/api/v1/namespaces/${encodeURIComponent(namespace)}`, accept: METADATA_ONLY, signal }
    )
    return injectionSign(metadata ?? {})
  } catch (error) {
    throw asMissingPermission(error, `get the Namespace "${namespace}"`)
  }
}

/** Istio reads labels, Linkerd an annotation. For Istio a label `istio-injection=disabled` has priority over the revision. */
export function injectionSign({ labels = {}, annotations = {} }: Pick<V1ObjectMeta, 'labels' | 'annotations'>): string {
  const { 'istio-injection': istio, 'istio.io/rev': revision } = labels
  if (istio === 'enabled') return 'istio-injection=enabled'
  if (istio !== 'disabled' && revision !== undefined && revision !== '') return `istio.io/rev=${revision}`
  const linkerd = annotations['linkerd.io/inject'] ?? ''
  return ['enabled', 'ingress'].includes(linkerd) ? `linkerd.io/inject=${linkerd}` : ''
}
