import { parse, stringify } from 'smol-toml'

/**
 * Of CRI-O's configuration only the devices that it gives to pods, as a configuration that says the same of them: the rest may hold
 * proxies and names of registries. What is no TOML becomes a text that is none either.
 */
export function allowedDevicesOnly(text: string): string {
  if (text === '') return text
  const config = parsed(text)
  if (config === undefined) return 'not TOML\n'
  const devices = below(below(config, 'crio'), 'runtime')['allowed_devices']
  const kept =
    devices === undefined ? '# nothing of devices' : stringify({ crio: { runtime: { allowed_devices: devices } } }).trimEnd()
  return `${kept}${text.endsWith('\n') ? '\n' : ''}`
}

type Table = Readonly<Record<string, unknown>>

function parsed(text: string): Table | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

const below = (table: Table, name: string): Table => {
  const found = table[name]
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Table) : {}
}
