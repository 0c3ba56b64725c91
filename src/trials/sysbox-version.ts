import { attempt } from '../facts/attempt.ts'
import { detectSysbox, parseSysboxVersion } from '../facts/sysbox.ts'
import type { HostWriter } from '../host/writer.ts'

/** Milliseconds. */
const TIMEOUT = 5_000

/** The version of the node's Sysbox; asks the program if no file holds it. `undefined` if there is no Sysbox or no version. */
export async function askSysboxVersion(host: HostWriter): Promise<string | undefined> {
  const found = await attempt(() => detectSysbox({ host, node: undefined, podSecurity: undefined }))
  if (!found.ok || found.value.programs.length === 0) return undefined
  const { programs, version } = found.value
  if (version.ok && version.value !== '') return version.value
  const program = programs.find(path => path.endsWith('/sysbox-runc'))
  if (program === undefined) return undefined
  // In the node's root, since the program is linked with the node's libraries.
  const answer = await attempt(() => host.exec(['chroot', host.inside('/'), program, '--version'], { timeout: TIMEOUT }))
  return answer.ok && answer.value.status === 0 ? parseSysboxVersion(answer.value.stdout) : undefined
}
