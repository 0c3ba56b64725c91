import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { listed } from './listed.ts'

export interface DockerConfig {
  /** Names of the runtimes beside Docker's own, sorted. */
  readonly runtimes: readonly string[]
  /** Empty where none is named: Docker's own is runc. */
  readonly defaultRuntime: string
}

export const DAEMON_JSON = '/etc/docker/daemon.json'

/** What the settings of a Docker daemon on this host say. No verdict rests on it: it is for hosts with Docker and no Kubernetes. */
export const detectDocker: Detector<DockerConfig | 'none'> = async ({ host }) => {
  const text = await host.read(DAEMON_JSON)
  if (text === undefined) return 'none'
  const config = parseDockerConfig(text)
  // The text is not quoted: it may hold the password of a proxy.
  if (config === undefined) throw new Unsure(`${DAEMON_JSON} is not the JSON that Docker takes`)
  return config
}

/** Of daemon.json, https://docs.docker.com/reference/cli/dockerd/; `undefined` where Docker would not start with it. */
export function parseDockerConfig(text: string): DockerConfig | undefined {
  const config = object(parsed(text))
  const runtimes = object(config?.['runtimes'] ?? {})
  const defaultRuntime = config?.['default-runtime'] ?? ''
  if (config === undefined || runtimes === undefined || typeof defaultRuntime !== 'string') return undefined
  return { runtimes: Object.keys(runtimes).toSorted(), defaultRuntime }
}

/** Docker takes an empty file for no settings. */
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
    const known = config.runtimes.includes('sysbox-runc') ? 'sysbox-runc is a runtime' : 'sysbox-runc is no runtime'
    return `${known}; runtimes: ${listed(config.runtimes, 'none')}; default: ${config.defaultRuntime || 'runc'}`
  },
  isForPeople: true
})
