import { HostError, type HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { confFiles, isNull } from './conf-files.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { unlessNotMounted } from './not-mounted.ts'
import { readCount, requireMounted } from './numbers.ts'
import type { AppArmorUserns } from './readings.ts'

const RESTRICTION = 'kernel.apparmor_restrict_unprivileged_userns'

/**
 * kernel.apparmor_restrict_unprivileged_userns of Ubuntu's kernels: 1 takes a user namespace's rights from every process without a
 * profile. The file is 0600 and asks for CAP_MAC_ADMIN, so that the agent sees that it is there and not what it says: the privileged
 * helper reads it.
 */
export const detectAppArmorUserns: Detector<AppArmorUserns> = async ({ host, readings }) => {
  await requireMounted(host, 'proc')
  const path = `/proc/sys/${RESTRICTION.replace('.', '/')}`
  try {
    const restrict = await readCount(host, path)
    if (restrict === undefined) return 'absent'
    return restrict === 0 ? 'off' : 'on'
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    if (readings?.apparmorUserns !== undefined) return readings.apparmorUserns
    throw new Unsure(`${error.message}${await setByFile(host)}`)
  }
}

const SYSCTL_DIRECTORIES = [
  '/etc/sysctl.d',
  '/run/sysctl.d',
  '/usr/local/lib/sysctl.d',
  '/usr/lib/sysctl.d',
  '/lib/sysctl.d'
] as const

const SETS_IT = /^\s*-?\s*kernel[./]apparmor_restrict_unprivileged_userns\s*=\s*\d+\s*$/

/** What it was set to at boot: a reason, and no answer, since it may have been changed since. */
async function setByFile(host: HostReader): Promise<string> {
  const said = await attempt(async () => {
    const lines: string[] = []
    for (const { path } of await confFiles(host, await seenOf(host, SYSCTL_DIRECTORIES))) {
      if (await isNull(host, path)) continue
      for (const line of (await host.lines(path, SETS_IT)) ?? [])
        lines.push(`${path} sets it to ${line.replace(/.*=\s*/, '').trim()}`)
    }
    return lines.at(-1)
  })
  return said.ok && said.value !== undefined ? `; ${said.value}` : ''
}

/** The directories that are mounted into this pod; a reason may be incomplete. */
async function seenOf(host: HostReader, directories: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(directories.map(directory => unlessNotMounted(host.list(directory))))
  return directories.filter((_, index) => 'value' in (lists[index] as object))
}

export const apparmorUsernsFact = defineFact({
  name: 'apparmor-userns',
  describes: "Ubuntu's `kernel.apparmor_restrict_unprivileged_userns`",
  detect: detectAppArmorUserns,
  format: restriction => (restriction === 'on' ? 'restricted' : `not restricted (${restriction})`),
  given: ({ readings }, value) =>
    readings?.apparmorUserns === value ? [{ source: 'privileged helper', saw: `the restriction is ${value}` }] : []
})
