import { isIP } from 'node:net'

/** Names that only a cluster or the machine itself resolves: an attacker on the internet cannot own one. */
const LOCAL_NAME = /^(localhost|[\w.-]+\.svc(\.cluster\.local)?)$/

/**
 * Whether a request's Host is a legitimate name of the agent: an address, `localhost` (kubectl port-forward), or the name of a Service. In
 * a DNS rebinding attack, a browser sends the attacker's own name.
 */
export function isOwnHost(host: string | undefined): boolean {
  const [, six, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(host ?? '') ?? []
  return six !== undefined ? isIP(six) === 6 : isIP(name) === 4 || LOCAL_NAME.test(name.toLowerCase())
}
