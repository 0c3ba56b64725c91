import { isIP } from 'node:net'

/** Names that only a cluster or a machine itself resolves: nobody on the internet can have one lead here. */
const NEAR = /^(localhost|[\w.-]+\.svc(\.cluster\.local)?)$/

/**
 * Whether a request's Host is one that the agent is really called by: an address, `localhost` (kubectl port-forward), or the name of a
 * Service. A browser that somebody's page leads here by a name of theirs (DNS rebinding) sends that name.
 */
export function isOwnHost(host: string | undefined): boolean {
  const [, six, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(host ?? '') ?? []
  return six !== undefined ? isIP(six) === 6 : isIP(name) === 4 || NEAR.test(name.toLowerCase())
}
