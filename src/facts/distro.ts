import type { HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { labelValue } from './label-value.ts'

export interface Distro {
  /** os-release ID, `ubuntu`. */
  readonly id: string
  /** os-release VERSION_ID, `22.04`; empty if the distribution has none (Debian testing). */
  readonly version: string
  readonly name: string
  readonly like: readonly string[]
  /** os-release VARIANT_ID, `aws-k8s-1.34` or `coreos`. */
  readonly variant: string
}

/** os-release(5): the second file is read if the first is missing. */
const FILES = ['/etc/os-release', '/usr/lib/os-release'] as const

export const detectDistro: Detector<Distro> = async ({ host }) => {
  const [path, text] = await readOsRelease(host)
  const distro = parseOsRelease(text)
  if (distro === undefined) throw new Unsure(`${path} names no distribution (no complete ID= line)`)
  return distro
}

async function readOsRelease(host: HostReader): Promise<readonly [string, string]> {
  for (const path of FILES) {
    const text = await host.read(path)
    if (text !== undefined) return [path, text]
  }
  throw new Unsure(`neither ${FILES.join(' nor ')} exists below the host root`)
}

/** `undefined` if the ID is missing or uncertain: an ID in a last line without newline may be incomplete. */
export function parseOsRelease(text: string): Distro | undefined {
  const fields = new Map<string, string>()
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    const [, key, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? []
    if (key === undefined || value === undefined) continue
    const plain = unquote(value.trimEnd())
    // The file of CBL-Mariner has no final newline, so only ID and VERSION_ID need one.
    if (plain !== undefined && (index < lines.length - 1 || !/^(ID|VERSION_ID)$/.test(key))) fields.set(key, plain)
  }
  const id = fields.get('ID') ?? ''
  if (!/^[a-z0-9][a-z0-9._-]{0,40}$/.test(id)) return undefined
  return {
    id,
    version: fields.get('VERSION_ID') ?? '',
    name: fields.get('PRETTY_NAME') ?? fields.get('NAME') ?? id,
    like: (fields.get('ID_LIKE') ?? '').split(' ').filter(like => like !== ''),
    variant: fields.get('VARIANT_ID') ?? ''
  }
}

/** Shell quoting as os-release(5) allows it; `undefined` for an unclosed quote. */
function unquote(value: string): string | undefined {
  const quote = value[0]
  if (quote !== '"' && quote !== "'") return value
  if (value.length < 2 || !value.endsWith(quote)) return undefined
  const inner = value.slice(1, -1)
  return quote === '"' ? inner.replace(/\\(["$`\\])/g, '$1') : inner
}

export const distroFact = defineFact({
  name: 'distro',
  describes: "distribution, from the node's os-release",
  detect: detectDistro,
  format: ({ name, id, version }) => `${name} (${[id, version].filter(part => part !== '').join(' ')})`,
  label: {
    name: 'distro',
    describes: 'Linux distribution of the node',
    values: 'os-release ID and VERSION_ID, `ubuntu-22.04`',
    of: ({ id, version }) => labelValue([id, version].filter(part => part !== '').join('-')),
    whenUnknown: undefined
  }
})
