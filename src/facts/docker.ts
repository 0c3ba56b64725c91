import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { listed } from './listed.ts'

export interface DockerConfig {
  /** Names of the runtimes besides Docker's own, sorted. */
  readonly runtimes: readonly string[]
  /** Empty if not set: Docker's default is runc. */
  readonly defaultRuntime: string
}

export const DAEMON_JSON = '/etc/docker/daemon.json'

/** The settings of a Docker daemon on this host. No verdict depends on them: they are for hosts with Docker and without Kubernetes. */
export const detectDocker: Detector<DockerConfig | 'none'> = async ({ host }) => {
  const text = await host.read(DAEMON_JSON)
  if (text === undefined) return 'none'
  const config = parseDockerConfig(text)
  // The text is not quoted: it may hold the password of a proxy.
  if (config === undefined) throw new Unsure(`${DAEMON_JSON} is not JSON that Docker accepts`)
  return config
}

/** `parseDockerConfig` parses daemon.json (https://docs.docker.com/reference/cli/dockerd/). `undefined` if Docker would not start with it. */
export function parseDockerConfig(text: string): DockerConfig | undefined {
  const config = object(parsed(text))
  const runtimes = object(config?.['runtimes'] ?? {})
  const defaultRuntime = config?.['default-runtime'] ?? ''
  if (config === undefined || runtimes === undefined || typeof defaultRuntime !== 'string') return undefined
  return { runtimes: Object.keys(runtimes).toSorted(), defaultRuntime }
}

/** Docker accepts an empty file as no settings. */
function parsed(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const object = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined

export const dockerFact = defineFact({
  name: 'docker',
  describes:
    'runtimes in `/etc/docker/daemon.json`, and whether `sysbox-runc` is one, for hosts without Kubernetes; no label depends on it',
  detect: detectDocker,
  format: config => {
    if (config === 'none') return 'no /etc/docker/daemon.json'
    const known = config.runtimes.includes('sysbox-runc') ? 'sysbox-runc is a runtime' : 'sysbox-runc is not a runtime'
    return `${known}; runtimes: ${listed(config.runtimes, 'none')}; default: ${config.defaultRuntime || 'runc'}`
  },
  isInformational: true
})
