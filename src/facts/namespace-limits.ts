import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { readCount } from './numbers.ts'
import { requireNodeNamespace } from './user-namespaces.ts'

export interface NamespaceLimits {
  /** user.max_mnt_namespaces and user.max_pid_namespaces, per uid on the whole node. */
  readonly mnt: number
  readonly pid: number
}

export const detectNamespaceLimits: Detector<NamespaceLimits> = async ({ host }) => {
  await requireNodeNamespace(host)
  const [mnt, pid] = await Promise.all([
    readCount(host, '/proc/sys/user/max_mnt_namespaces'),
    readCount(host, '/proc/sys/user/max_pid_namespaces')
  ])
  if (mnt === undefined || pid === undefined)
    throw new Unsure('/proc/sys/user has no max_mnt_namespaces or no max_pid_namespaces')
  return { mnt, pid }
}

export const namespaceLimitsFact = defineFact({
  name: 'namespace-limits',
  describes: '`user.max_mnt_namespaces`, `user.max_pid_namespaces`',
  detect: detectNamespaceLimits,
  format: ({ mnt, pid }) => `mount ${mnt}, pid ${pid}`
})
