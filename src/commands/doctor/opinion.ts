import type { Finding } from '../../report/findings.ts'

/** The result of one check. */
export type Opinion = Omit<Finding, 'check'>

export const ok = (saw: string, cautions: readonly string[] = []): Opinion => ({ answer: 'ok', saw, cautions, wayOut: '' })
export const no = (saw: string, wayOut: string): Opinion => ({ answer: 'no', saw, cautions: [], wayOut })
export const unknown = (saw: string, wayOut = ''): Opinion => ({ answer: 'unknown', saw, cautions: [], wayOut })

/** Ways out that several checks share. */
export const INSTALL = 'kubectl apply -k manifests/base'
export const LOG = 'kubectl -n berth logs -l app.kubernetes.io/name=berth'
export const IN_THE_POD = "run berth doctor in the agent's pod (kubectl -n berth exec)"
