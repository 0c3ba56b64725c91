import { completeText, type HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { type Attempt, Unsure } from './fact.ts'
import { listed } from './listed.ts'
import { readFlag, requireMounted } from './numbers.ts'

export interface AppArmor {
  readonly enabled: Attempt<boolean>
  /** The mode of each loaded profile that a verdict depends on, by name. */
  readonly profiles: Attempt<ReadonlyMap<string, string>>
  /** The profile for fusermount3 in the node's files, loaded or not. */
  readonly fusermount3: Attempt<ProfileFile>
  /** A file for a profile named podman exists. */
  readonly podmanFile: Attempt<boolean>
}

export interface ProfileFile {
  readonly state: 'absent' | 'disabled' | 'complain' | 'enforce'
  /** The profile allows FUSE mounts where Sysbox makes them. */
  readonly allowsSysbox: boolean
}

/** Names that a profile for fusermount3 can have. */
export const FUSERMOUNT3 = ['fusermount3', '/usr/bin/fusermount3', '/bin/fusermount3'] as const

/** The profile podman may lift the restriction of user namespaces. */
const RELEVANT: readonly string[] = ['podman', ...FUSERMOUNT3]

const PROFILES = '/sys/kernel/security/apparmor/profiles'

/** On many nodes only root can read the list of profiles; the privileged helper reads it there. */
export const detectAppArmor: Detector<AppArmor> = async ({ host, readings }) => {
  await requireMounted(host, 'sys')
  const [enabled, own, fusermount3, podmanFile] = await Promise.all([
    attempt(async () => (await readFlag(host, '/sys/module/apparmor/parameters/enabled')) ?? false),
    attempt(() => readProfiles(host)),
    attempt(() => readProfileFile(host)),
    attempt(async () => (await host.stat('/etc/apparmor.d/podman')) !== undefined)
  ])
  const all =
    own.ok || readings?.profiles === undefined ? own : { ok: true as const, value: new Map(Object.entries(readings.profiles)) }
  const profiles = all.ok ? { ok: true as const, value: relevant(all.value) } : all
  return { enabled, profiles, fusermount3, podmanFile }
}

const relevant = (profiles: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...profiles].filter(([name]) => RELEVANT.includes(name)))

async function readProfiles(host: HostReader): Promise<ReadonlyMap<string, string>> {
  const text = await host.read(PROFILES)
  // An empty list proves nothing: it is also empty before the profiles are loaded at boot.
  if (text === undefined || text === '') throw new Unsure(`${PROFILES} is ${text === '' ? 'empty' : 'missing'}`)
  return parseProfiles(completeText(PROFILES, text))
}

/** Lines like `NAME (MODE)`. Throws `Unsure` on any other line, since it could be the one that decides. */
export function parseProfiles(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split('\n')
      .filter(line => line !== '')
      .map(line => {
        const [, name, mode] = /^(.+) \((\w+)\)$/.exec(line) ?? []
        if (name === undefined || mode === undefined) throw new Unsure(`${PROFILES} has a line with an unexpected format`)
        return [name, mode]
      })
  )
}

const FILE = '/etc/apparmor.d/fusermount3'

/** The local additions of an administrator. */
const LOCAL = '/etc/apparmor.d/local/fusermount3'

/** The link that disables the profile. */
const DISABLED = '/etc/apparmor.d/disable/fusermount3'

async function readProfileFile(host: HostReader): Promise<ProfileFile> {
  const text = await host.read(FILE)
  if (text === undefined) return { state: 'absent', allowsSysbox: false }
  if ((await host.stat(DISABLED)) !== undefined) return { state: 'disabled', allowsSysbox: false }
  const whole = completeText(FILE, text)
  const local = (await host.read(LOCAL)) ?? ''
  return { state: isComplaining(whole) ? 'complain' : 'enforce', allowsSysbox: [whole, local].some(allowsSysbox) }
}

/** apparmor.d(5): `profile fusermount3 /usr/bin/fusermount3 flags=(attach_disconnected, complain) {` */
const isComplaining = (text: string): boolean =>
  rules(text).some(rule => /^(?:profile\s+)?\S*fusermount3\b[^{]*\bflags\s*=\s*\([^)]*\bcomplain\b[^)]*\)\s*\{$/.test(rule))

// The rule that Sysbox's maintainers recommend (nestybox/sysbox#947): mount fstype=@{fuse_types} options=(nosuid,nodev,rw) -> /var/lib/sysboxfs/**/,
const allowsSysbox = (text: string): boolean =>
  rules(text).some(rule => /^(?:allow\s+)?mount\b.*->\s*"?\/var\/lib\/sysboxfs\//.test(rule))

const rules = (text: string): readonly string[] => text.split('\n').map(line => line.replace(/#.*/, '').trim())

export const apparmorFact = defineFact({
  name: 'apparmor',
  describes: 'whether AppArmor is enabled, and the loaded profiles for podman and fusermount3',
  detect: detectAppArmor,
  format: ({ enabled, profiles, fusermount3 }) =>
    [
      enabled.ok ? (enabled.value ? 'enabled' : 'not enabled') : `unknown (${enabled.why})`,
      profiles.ok
        ? `loaded profiles for podman and fusermount3: ${listed(
            [...profiles.value].map(([name, mode]) => `${name} (${mode})`),
            'none'
          )}`
        : profiles.why,
      fusermount3.ok ? `profile file for fusermount3: ${fusermount3.value.state}` : fusermount3.why
    ].join(', '),
  furtherEvidence: ({ readings }) =>
    readings?.profiles === undefined
      ? []
      : [
          {
            source: 'privileged helper',
            saw: `loaded profiles for podman and fusermount3: ${Object.keys(readings.profiles).join(', ') || 'none'}`
          }
        ]
})
