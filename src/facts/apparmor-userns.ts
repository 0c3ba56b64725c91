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
 * kernel.apparmor_restrict_unprivileged_userns of Ubuntu's kernels: if it is 1, a process without a profile has no capabilities in a new
 * user namespace. The file has mode 0600 and needs CAP_MAC_ADMIN. The agent sees only that it exists; the privileged helper reads it.
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
    throw new Unsure(`${error.message}${await configuredValue(host)}`)
  }
}

const SYSCTL_DIRECTORIES = [
  '/etc/sysctl.d',
  '/run/sysctl.d',
  '/usr/local/lib/sysctl.d',
  '/usr/lib/sysctl.d',
  '/lib/sysctl.d'
] as const

const ASSIGNMENT = /^\s*-?\s*kernel[./]apparmor_restrict_unprivileged_userns\s*=\s*\d+\s*$/

/** The value in sysctl.d is part of the reason but no answer, since the setting may have changed after boot. */
async function configuredValue(host: HostReader): Promise<string> {
  const found = await attempt(async () => {
    const lines: string[] = []
    for (const { path } of await confFiles(host, await visibleOf(host, SYSCTL_DIRECTORIES))) {
      if (await isNull(host, path)) continue
      for (const line of (await host.lines(path, ASSIGNMENT)) ?? [])
        lines.push(`${path} sets it to ${line.replace(/.*=\s*/, '').trim()}`)
    }
    return lines.at(-1)
  })
  return found.ok && found.value !== undefined ? `; ${found.value}` : ''
}

/** The directories that are mounted into the agent's pod. The others are left out: the reason may be incomplete. */
async function visibleOf(host: HostReader, directories: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(directories.map(directory => unlessNotMounted(host.list(directory))))
  return directories.filter((_, index) => 'value' in (lists[index] as object))
}

export const apparmorUsernsFact = defineFact({
  name: 'apparmor-userns',
  describes: "Ubuntu's `kernel.apparmor_restrict_unprivileged_userns`",
  detect: detectAppArmorUserns,
  format: restriction => (restriction === 'on' ? 'restricted' : `not restricted (${restriction})`),
  furtherEvidence: ({ readings }, value) =>
    readings?.apparmorUserns === value ? [{ source: 'privileged helper', saw: `the restriction is ${value}` }] : []
})
