import type { Inspection } from './inspection.ts'
import { type Opinion, ok, unknown } from './opinion.ts'

const AS_YOURSELF = 'run berth doctor with credentials that may (--kubeconfig FILE)'

/** Coder's documents exclude CVMs behind "legacy versions of cluster-wide proxy services such as Istio", and name no version. */
export function judgeSidecars({ injectors, injection, terms }: Inspection): Opinion {
  const namespace = `the Namespace "${terms.workspaceNamespace}"`
  const cautions =
    injection.ok && injection.value !== ''
      ? [`${namespace} has ${injection.value}, which puts a proxy into workspaces: remove it where CVMs run`]
      : []
  if (!injectors.ok) return { ...unknown(injectors.why, AS_YOURSELF), cautions }
  if (injectors.value.length > 0) {
    cautions.unshift(
      `${injectors.value.join(', ')}: CVMs do not support older versions of such a proxy; keep it out of Pods of CVMs (label sidecar.istio.io/inject: "false", or annotation linkerd.io/inject: disabled)`
    )
  }
  if (!injection.ok) return { ...unknown(injection.why, AS_YOURSELF), cautions }
  const count = injectors.value.length
  return ok(
    count === 0 ? 'no webhook of Istio or Linkerd puts a proxy into Pods' : 'a service mesh can put a proxy into Pods',
    cautions
  )
}

const NAMED = 3

/** Envbox ends with "CVMs do not support NFS volumes". */
export function judgeVolumes({ claims, terms }: Inspection): Opinion {
  if (!claims.ok) return unknown(claims.why, claimsWayOut(terms.workspaceNamespace))
  const where = terms.workspaceNamespace === '' ? '' : ` in the Namespace "${terms.workspaceNamespace}"`
  if (claims.value.length === 0) return ok(`no Pod that asks for a CVM has a volume claim${where}`)
  const onNfs = claims.value.filter(({ nfs }) => nfs !== '')
  if (onNfs.length === 0) return ok(`volume claims of CVMs${where}: ${claims.value.length}, none of them on NFS`)
  const named = onNfs.slice(0, NAMED).map(({ name, nfs }) => `${name} (${nfs})`)
  const more = onNfs.length > NAMED ? ` and ${onNfs.length - NAMED} more` : ''
  return ok(`volume claims of CVMs${where}: ${claims.value.length}, on NFS: ${onNfs.length}`, [
    `CVMs do not work on NFS: ${named.join(', ')}${more}; give them a StorageClass of block storage`
  ])
}

const claimsWayOut = (namespace: string): string =>
  namespace === '' ? `${AS_YOURSELF}, or name one Namespace with --workspace-namespace` : AS_YOURSELF
