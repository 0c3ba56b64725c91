import { attempt } from '../facts/attempt.ts'
import { detectSysbox, parseSysboxVersion } from '../facts/sysbox.ts'
import type { HostWriter } from '../host/writer.ts'

/** Milliseconds. */
const PATIENCE = 5_000

/** Asks the node's own Sysbox for its version, where no file tells it; `undefined` where there is none, or it does not say. */
export async function askSysboxVersion(host: HostWriter): Promise<string | undefined> {
  const found = await attempt(() => detectSysbox({ host, node: undefined, podSecurity: undefined }))
  if (!found.ok || found.value.programs.length === 0) return undefined
  const { programs, version } = found.value
  if (version.ok && version.value !== '') return version.value
  const program = programs.find(path => path.endsWith('/sysbox-runc'))
  if (program === undefined) return undefined
  // In the node's root, since it is linked with the node's libraries.
  const said = await attempt(() => host.exec(['chroot', host.inside('/'), program, '--version'], { timeout: PATIENCE }))
  return said.ok && said.value.status === 0 ? parseSysboxVersion(said.value.stdout) : undefined
}
