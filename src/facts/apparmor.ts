import { completeText, type HostReader } from '../host/host.ts'
import { attempt } from './attempt.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { type Attempt, Unsure } from './fact.ts'
import { listed } from './listed.ts'
import { readFlag, requireMounted } from './numbers.ts'

export interface AppArmor {
  readonly enabled: Attempt<boolean>
  /** Those of the loaded profiles that matter here, with their mode, by name. */
  readonly profiles: Attempt<ReadonlyMap<string, string>>
  /** What the node's files say of the profile for fusermount3, loaded or not. */
  readonly fusermount3: Attempt<ProfileFile>
  /** There is a file for a profile named podman. */
  readonly podmanFile: Attempt<boolean>
}

export interface ProfileFile {
  readonly state: 'absent' | 'disabled' | 'complain' | 'enforce'
  /** It lets FUSE be mounted where Sysbox does that. */
  readonly allowsSysbox: boolean
}

/** `podman` may lift the restriction of user namespaces; the others are the names that a profile for fusermount3 can have. */
export const FUSERMOUNT3 = ['fusermount3', '/usr/bin/fusermount3', '/bin/fusermount3'] as const

const MATTERING: readonly string[] = ['podman', ...FUSERMOUNT3]

const PROFILES = '/sys/kernel/security/apparmor/profiles'

/** The list of profiles is for root only on many nodes; the privileged helper has read it then. */
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
  const profiles = all.ok ? { ok: true as const, value: mattering(all.value) } : all
  return { enabled, profiles, fusermount3, podmanFile }
}

const mattering = (profiles: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...profiles].filter(([name]) => MATTERING.includes(name)))

async function readProfiles(host: HostReader): Promise<ReadonlyMap<string, string>> {
  const text = await host.read(PROFILES)
  // An empty list says nothing: it is read like this too before the profiles are loaded at boot.
  if (text === undefined || text === '') throw new Unsure(`${PROFILES} is ${text === '' ? 'empty' : 'not there'}`)
  return parseProfiles(completeText(PROFILES, text))
}

/** `NAME (MODE)`, a line each. Throws `Unsure` on a line of another form, since it could be the one that decides. */
export function parseProfiles(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split('\n')
      .filter(line => line !== '')
      .map(line => {
        const [, name, mode] = /^(.+) \((\w+)\)$/.exec(line) ?? []
        if (name === undefined || mode === undefined) throw new Unsure(`${PROFILES} has a line of another form`)
        return [name, mode]
      })
  )
}

const FILE = '/etc/apparmor.d/fusermount3'

/** What an administrator adds to it, and the link by which it is switched off. */
const LOCAL = '/etc/apparmor.d/local/fusermount3'

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

// As Sysbox's makers advise (nestybox/sysbox#947): mount fstype=@{fuse_types} options=(nosuid,nodev,rw) -> /var/lib/sysboxfs/**/,
const allowsSysbox = (text: string): boolean =>
  rules(text).some(rule => /^(?:allow\s+)?mount\b.*->\s*"?\/var\/lib\/sysboxfs\//.test(rule))

const rules = (text: string): readonly string[] => text.split('\n').map(line => line.replace(/#.*/, '').trim())

export const apparmorFact = defineFact({
  name: 'apparmor',
  describes: 'loaded profiles and their modes',
  detect: detectAppArmor,
  format: ({ enabled, profiles, fusermount3 }) =>
    [
      enabled.ok ? (enabled.value ? 'enabled' : 'not enabled') : `unknown (${enabled.why})`,
      profiles.ok
        ? `loaded of podman and fusermount3: ${listed(
            [...profiles.value].map(([name, mode]) => `${name} (${mode})`),
            'none'
          )}`
        : profiles.why,
      fusermount3.ok ? `its file for fusermount3: ${fusermount3.value.state}` : fusermount3.why
    ].join(', '),
  given: ({ readings }) =>
    readings?.profiles === undefined
      ? []
      : [{ source: 'privileged helper', saw: `profiles that matter: ${Object.keys(readings.profiles).join(', ') || 'none'}` }]
})
