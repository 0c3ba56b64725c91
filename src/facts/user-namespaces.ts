import type { HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { readCount, requireMounted } from './numbers.ts'

export interface UserNamespaces {
  /** The kernel was built with user namespaces. */
  readonly compiled: boolean
  /** user.max_user_namespaces: the limit per uid on the whole node. */
  readonly max: number
  /** kernel.unprivileged_userns_clone is 1, or absent (kernels without this patch). */
  readonly unprivileged: boolean
}

/** user_namespaces(7) of the node's own user namespace. */
export const detectUserNamespaces: Detector<UserNamespaces> = async ({ host }) => {
  await requireMounted(host, 'proc')
  await requireNodeNamespace(host)
  const namespaces = await host.list('/proc/self/ns')
  if (namespaces === undefined) throw new Unsure('/proc/self/ns is missing')
  const compiled = namespaces.includes('user')
  if (!compiled) return { compiled, max: 0, unprivileged: false }
  const max = await readCount(host, '/proc/sys/user/max_user_namespaces')
  if (max === undefined) throw new Unsure('/proc/sys/user/max_user_namespaces is missing')
  const clone = await readCount(host, '/proc/sys/kernel/unprivileged_userns_clone')
  return { compiled, max, unprivileged: clone === undefined || clone === 1 }
}

/** /proc/sys/user shows the limits of the reader's user namespace: outside the node's own they are always 2147483647. */
export async function requireNodeNamespace(host: HostReader): Promise<void> {
  const path = '/proc/self/uid_map'
  const text = await host.read(path)
  if (text === undefined) throw new Unsure(`${path} is missing`)
  const outside = parseUidMapStart(text)
  if (outside === undefined) throw new Unsure(`${path} has an unexpected format`)
  if (outside !== 0) {
    throw new Unsure(`this process runs in its own user namespace (${path} begins at ${outside}), which hides the node's limits`)
  }
}

/** The outer uid at which the first line of a uid_map begins: `0 0 4294967295` in the node's own namespace. */
export function parseUidMapStart(text: string): number | undefined {
  const [, outside] = /^\s*\d+\s+(\d+)\s+\d+\n/.exec(text) ?? []
  return outside === undefined ? undefined : Number(outside)
}

export const userNamespacesFact = defineFact({
  name: 'user-namespaces',
  describes: '`user.max_user_namespaces` and `kernel.unprivileged_userns_clone`',
  detect: detectUserNamespaces,
  format: ({ compiled, max, unprivileged }) =>
    compiled ? `at most ${max} per user${unprivileged ? '' : ', not for unprivileged users'}` : 'not supported by this kernel'
})
