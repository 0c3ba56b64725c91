import { parse, TomlError } from 'smol-toml'
import { completeText, type HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { listed } from './listed.ts'

const FOLDER = '/etc/crio'
const DROP_INS = `${FOLDER}/crio.conf.d`

/** The default of CRI-O (pkg/config/config.go). */
const ALLOWED_BY_DEFAULT: readonly string[] = ['/dev/fuse', '/dev/net/tun']

/**
 * The devices that a pod can request from CRI-O with an annotation (`allowed_devices` in crio.conf(5)); empty with other runtimes.
 */
export const detectCrioDevices: Detector<readonly string[]> = async ({ host, node }) => {
  const isCrio = node === undefined ? (await host.stat(FOLDER)) !== undefined : node.containerRuntime.startsWith('cri-o://')
  if (!isCrio) return []
  const files = [`${FOLDER}/crio.conf`, ...((await host.list(DROP_INS)) ?? []).toSorted().map(name => `${DROP_INS}/${name}`)]
  let allowed = ALLOWED_BY_DEFAULT
  // The list in the last file that has one replaces all others.
  for (const file of files) allowed = (await allowedIn(host, file)) ?? allowed
  return allowed
}

async function allowedIn(host: HostReader, file: string): Promise<readonly string[] | undefined> {
  const text = await host.read(file)
  if (text === undefined) return undefined
  if (text === '') throw new Unsure(`${file} is empty, so its content may be lost`)
  try {
    return parseAllowedDevices(completeText(file, text))
  } catch (error) {
    if (!(error instanceof TomlError || error instanceof Unsure)) throw error
    throw new Unsure(`${file} cannot be parsed: ${error.message.split('\n', 1)[0]}`)
  }
}

/** `undefined` if the file does not set `allowed_devices`. Throws `TomlError` and `Unsure`. */
export function parseAllowedDevices(text: string): readonly string[] | undefined {
  const found = below(below(parse(text), 'crio'), 'runtime')['allowed_devices']
  if (found === undefined) return undefined
  if (Array.isArray(found) && found.every(item => typeof item === 'string')) return found
  throw new Unsure(`allowed_devices is ${JSON.stringify(found)}, not a list of paths`)
}

const below = (table: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> => {
  const found = table[name]
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : {}
}

export const crioDevicesFact = defineFact({
  name: 'crio-devices',
  describes: 'devices that pods can request from CRI-O with an annotation (`allowed_devices`)',
  detect: detectCrioDevices,
  format: paths => listed(paths, 'none')
})
