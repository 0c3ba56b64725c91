import { completeText, type HostReader } from '../host/host.ts'
import { confFiles } from './conf-files.ts'
import { VAR_LIB } from './disk.ts'
import { Unsure } from './fact.ts'

/** Where sysbox-mgr keeps the files of containers, unless it is started with another `--data-root`. */
const DEFAULT = `${VAR_LIB}/sysbox`
const UNIT = 'sysbox-mgr.service'
/** systemd.unit(5), without the folders below /run. */
const UNITS = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'] as const

/**
 * The data root from the command line in the unit of sysbox-mgr (nestybox/sysbox docs/user-guide/configuration.md). Throws `HostError`,
 * and `Unsure` if the option is not a plain path.
 */
export async function sysboxDataRoot(host: HostReader): Promise<string> {
  const texts = await unitTexts(host)
  const command = texts.flatMap(commandsOf).at(-1) ?? ''
  if (texts.length > 0 && command === '') throw new Unsure(`${UNIT} has no ExecStart`)
  const given = /(?:^|\s)--?data-root(?:=|\s+)(\S+)/.exec(command)?.[1]
  if (given === undefined) return DEFAULT
  const path = given.replace(/^(["'])(.*)\1$/, '$2')
  if (!/^\/[^"'\\$%]*$/.test(path))
    throw new Unsure(`${UNIT} has --data-root ${JSON.stringify(path.slice(0, 80))}, which is not a plain path`)
  return path
}

/** The unit file that counts and its drop-ins, in the order in which systemd reads them. */
async function unitTexts(host: HostReader): Promise<readonly string[]> {
  const texts: string[] = []
  for (const directory of UNITS) {
    const path = `${directory}/${UNIT}`
    const text = await host.read(path)
    if (text !== undefined) {
      texts.push(completeText(path, text))
      break
    }
  }
  const dropIns = UNITS.map(directory => `${directory}/${UNIT}.d`)
  for (const { path } of await confFiles(host, dropIns)) texts.push(completeText(path, (await host.read(path)) ?? ''))
  return texts
}

/** An empty ExecStart resets those before it. */
const commandsOf = (text: string): readonly string[] =>
  [...text.replace(/\\\n/g, ' ').matchAll(/^\s*ExecStart\s*=(.*)$/gm)].map(([, command = '']) => command.trim())
