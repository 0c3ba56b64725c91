import { parse, stringify } from 'smol-toml'

/**
 * Reduces CRI-O's configuration to a valid configuration with the devices that pods may use: the rest may hold proxies and registry names.
 * A file that is not TOML becomes another text that is not TOML.
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
