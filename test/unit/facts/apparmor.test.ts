import { describe, expect, test } from 'vitest'
import { detectAppArmor, parseProfiles } from '../../../src/facts/apparmor.ts'
import { detectAppArmorUserns } from '../../../src/facts/apparmor-userns.ts'
import { accepted, endless, everyParsed, garbage, outcome } from './garbage.ts'
import { type Answers, detect } from './replay.ts'

const PROFILE = 'abi <abi/4.0>,\n\nprofile fusermount3 /usr/bin/fusermount3 {\n  include if exists <local/fusermount3>\n}\n'
const MOUNT = 'mount fstype=@{fuse_types} options=(nosuid,nodev,rw) -> /var/lib/sysboxfs/**/,'

describe('AppArmor’s list of profiles', () => {
  test.each([
    ['fusermount3 (enforce)\n', [['fusermount3', 'enforce']]],
    [
      '/usr/bin/man (enforce)\nman_filter (complain)\n',
      [
        ['/usr/bin/man', 'enforce'],
        ['man_filter', 'complain']
      ]
    ],
    ['cri-containerd.apparmor.d (enforce)', [['cri-containerd.apparmor.d', 'enforce']]],
    ['snap.lxd.hook (x) y (unconfined)\n', [['snap.lxd.hook (x) y', 'unconfined']]],
    ['a//b (kill)\n\n', [['a//b', 'kill']]],
    ['', []]
  ])('%j', (text, profiles) => {
    expect([...parseProfiles(text)]).toEqual(profiles)
  })

  test.each([
    ['fusermount3'],
    ['fusermount3 (enfo'],
    ['fusermount3 ()\n'],
    [' (enforce)\n'],
    ['(enforce)\n'],
    ['a (enforce)\n\0\n'],
    ['a (enforce) \n']
  ])('rejects a line like %j', text => {
    expect(() => parseProfiles(text)).toThrow('has a line with an unexpected format')
  })

  test('of any bytes is profiles or a refusal', () => {
    const profilesIn = (text: string) => {
      const profiles = accepted(() => parseProfiles(text))
      return profiles?.size === 0 ? undefined : profiles
    }
    everyParsed(garbage('fusermount3 (enforce)\n', 'podman (unconfined)\n'), profilesIn, (profiles, text) => {
      for (const [name, mode] of profiles) expect(text).toContain(`${name} (${mode})`)
    })
  })

  test.each([[endless('a')], [endless(' (a')], [endless('(')], [endless(' (a)', '', 'x')], [endless(' ')]])(
    'of 1 MB is judged like any other (%#)',
    text => {
      expect(outcome(() => parseProfiles(text))).toBe('refused')
    }
  )
})

describe('AppArmor', () => {
  const enabled = '/sys/module/apparmor/parameters/enabled'
  const profiles = '/sys/kernel/security/apparmor/profiles'
  const file = '/etc/apparmor.d/fusermount3'
  const disabled = '/etc/apparmor.d/disable/fusermount3'
  const local = '/etc/apparmor.d/local/fusermount3'
  const podman = '/etc/apparmor.d/podman'
  const enforced = { ok: true, value: { state: 'enforce', allowsSysbox: false } }
  const node: Answers = {
    '/sys/kernel': ['x'],
    [enabled]: 'Y\n',
    [profiles]: 'fusermount3 (enforce)\n',
    [file]: PROFILE,
    [disabled]: undefined,
    [local]: undefined,
    [podman]: undefined
  }
  const ok = (value: unknown) => ({ ok: true, value })
  const failed = (why: string) => ({ ok: false, why: expect.stringContaining(why) })

  test.each<[string, Answers, object]>([
    ['on', {}, { enabled: ok(true), profiles: ok(new Map([['fusermount3', 'enforce']])), fusermount3: enforced }],
    [
      'not compiled in',
      { [enabled]: undefined, [profiles]: undefined, [file]: undefined },
      { enabled: ok(false), profiles: failed('missing'), fusermount3: ok({ state: 'absent', allowsSysbox: false }) }
    ],
    [
      'with profiles that are closed to us',
      { [profiles]: { error: 'EACCES' } },
      { enabled: ok(true), profiles: failed('EACCES'), fusermount3: enforced }
    ],
    ['with no profile loaded yet', { [profiles]: '' }, { profiles: failed('empty') }],
    ['with a list that is cut short', { [profiles]: 'a (enforce)\nfuserm' }, { profiles: failed('cut short') }],
    ['with a garbled switch', { [enabled]: 'perhaps' }, { enabled: failed('not Y or N') }],
    ['with a closed /etc', { [file]: { error: 'EACCES' } }, { fusermount3: failed('EACCES') }]
  ])('%s is shown in three parts', async (_, answers, value) => {
    expect(await detect(detectAppArmor, { ...node, ...answers })).toEqual({ value: expect.objectContaining(value) })
  })

  test.each<[string, Answers, object]>([
    ['is not there', { [file]: undefined }, { state: 'absent', allowsSysbox: false }],
    ['is enforced', {}, { state: 'enforce', allowsSysbox: false }],
    ['is switched off by a link', { [disabled]: '' }, { state: 'disabled', allowsSysbox: false }],
    [
      'only complains',
      { [file]: PROFILE.replace('fusermount3 {', 'fusermount3 flags=(attach_disconnected,complain) {') },
      { state: 'complain', allowsSysbox: false }
    ],
    ['complains in a comment only', { [file]: `# flags=(complain)\n${PROFILE}` }, { state: 'enforce', allowsSysbox: false }],
    ['lets Sysbox mount', { [file]: PROFILE.replace('}', `${MOUNT}\n}`) }, { state: 'enforce', allowsSysbox: true }],
    ['lets Sysbox mount by what was added', { [local]: `${MOUNT}\n` }, { state: 'enforce', allowsSysbox: true }],
    ['denies Sysbox to mount', { [local]: `deny ${MOUNT}\n` }, { state: 'enforce', allowsSysbox: false }],
    ['lets Sysbox mount in a comment only', { [local]: `# ${MOUNT}\n` }, { state: 'enforce', allowsSysbox: false }],
    ['lets Sysbox only unmount', { [local]: 'umount /var/lib/sysboxfs/**/,\n' }, { state: 'enforce', allowsSysbox: false }]
  ])('whose file for fusermount3 %s', async (_, answers, value) => {
    expect(await detect(detectAppArmor, { ...node, ...answers })).toMatchObject({ value: { fusermount3: ok(value) } })
  })

  test.each<[string, Answers]>([
    ['is cut short', { [file]: PROFILE.slice(0, -3) }],
    ['has closed additions', { [local]: { error: 'EACCES' } }],
    ['may be switched off', { [disabled]: { error: 'EACCES' } }]
  ])('whose file for fusermount3 %s is unknown', async (_, answers) => {
    expect(await detect(detectAppArmor, { ...node, ...answers })).toMatchObject({ value: { fusermount3: { ok: false } } })
  })

  test('takes the list of profiles from the helper only if the agent cannot read it', async () => {
    const readings = {
      apparmorUserns: undefined,
      profiles: { podman: 'unconfined', fusermount3: 'complain' },
      sysboxVersion: undefined
    }
    const profilesWith = async (answer: Answers[string]) =>
      (await detect(detectAppArmor, { ...node, [profiles]: answer }, { readings })) as never
    expect(await profilesWith({ error: 'EACCES' })).toMatchObject({
      value: { profiles: ok(new Map(Object.entries(readings.profiles))) }
    })
    expect(await profilesWith('fusermount3 (enforce)\n')).toMatchObject({
      value: { profiles: ok(new Map([['fusermount3', 'enforce']])) }
    })
  })

  test('knows whether a file for a profile named podman exists', async () => {
    const found = async (answer: Answers[string]) => await detect(detectAppArmor, { ...node, [podman]: answer })
    expect(await found('')).toMatchObject({ value: { podmanFile: ok(true) } })
    expect(await found(undefined)).toMatchObject({ value: { podmanFile: ok(false) } })
    expect(await found({ error: 'EACCES' })).toMatchObject({ value: { podmanFile: failed('EACCES') } })
  })

  test('keeps only the loaded profiles that verdicts depend on', async () => {
    const list = 'fusermount3 (enforce)\n/usr/bin/man (enforce)\npodman (unconfined)\n/bin/fusermount3 (complain)\n'
    expect(await detect(detectAppArmor, { ...node, [profiles]: list })).toMatchObject({
      value: {
        profiles: ok(
          new Map([
            ['fusermount3', 'enforce'],
            ['podman', 'unconfined'],
            ['/bin/fusermount3', 'complain']
          ])
        )
      }
    })
  })
})

describe('AppArmor’s restriction of user namespaces', () => {
  const path = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns'
  const none: Answers = {
    '/proc/sys/kernel': ['x'],
    ...Object.fromEntries(['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map(place => [`${place}/sysctl.d`, undefined]))
  }
  const closed: Answers = { ...none, [path]: { error: 'EACCES' } }

  test.each<[string, Answers[string], object]>([
    ['absent', undefined, { value: 'absent' }],
    ['off', '0\n', { value: 'off' }],
    ['on', '1\n', { value: 'on' }],
    ['not known from garbage', 'x', { unsure: expect.stringContaining('not a number') }]
  ])('is %s', async (_, answer, found) => {
    expect(await detect(detectAppArmorUserns, { ...none, [path]: answer })).toEqual(found)
  })

  test('is taken from the helper only if the agent cannot read it', async () => {
    for (const apparmorUserns of ['absent', 'off', 'on'] as const) {
      const readings = { apparmorUserns, profiles: undefined, sysboxVersion: undefined }
      expect(await detect(detectAppArmorUserns, closed, { readings })).toEqual({ value: apparmorUserns })
      expect(await detect(detectAppArmorUserns, { ...closed, [path]: '1\n' }, { readings })).toEqual({ value: 'on' })
    }
    const readings = { apparmorUserns: undefined, profiles: {}, sysboxVersion: undefined }
    expect(await detect(detectAppArmorUserns, closed, { readings })).toEqual({ unsure: expect.stringContaining('EACCES') })
  })

  test('is unknown if it cannot be read; a value in sysctl.d is only part of the reason', async () => {
    const set = (folder: string, name: string, text: string): Answers => ({
      [`${folder}/sysctl.d`]: [name],
      [`${folder}/sysctl.d/${name}`]: text
    })
    const line = 'kernel.apparmor_restrict_unprivileged_userns = 1\n'
    const shipped = set('/usr/lib', '10-apparmor.conf', `# comment\n${line}`)
    expect(await detect(detectAppArmorUserns, { ...closed, ...shipped })).toEqual({
      unsure: expect.stringMatching(/EACCES.*; \/usr\/lib\/sysctl.d\/10-apparmor.conf sets it to 1$/)
    })
    const changed = set('/etc', '60-userns.conf', '-kernel/apparmor_restrict_unprivileged_userns=0\n')
    expect(await detect(detectAppArmorUserns, { ...closed, ...shipped, ...changed })).toEqual({
      unsure: expect.stringMatching(/; \/etc\/sysctl.d\/60-userns.conf sets it to 0$/)
    })
    const masked = set('/etc', '10-apparmor.conf', '# nothing\n')
    expect(await detect(detectAppArmorUserns, { ...closed, ...shipped, ...masked })).toEqual({
      unsure: expect.not.stringContaining('sets it')
    })
    const unreadable = { ...closed, '/etc/sysctl.d': { error: 'EACCES' } }
    expect(await detect(detectAppArmorUserns, unreadable)).toEqual({ unsure: expect.not.stringContaining('sets it') })
  })
})

test.each([
  ['Y\n', true],
  ['N\n', false],
  [undefined, false]
])('AppArmor with the parameter %j is enabled: %s', async (switched, value) => {
  const answers: Answers = {
    '/sys/module/apparmor/parameters/enabled': switched,
    '/sys/kernel/security/apparmor/profiles': undefined,
    '/etc/apparmor.d/fusermount3': undefined,
    '/etc/apparmor.d/podman': undefined
  }
  expect(await detect(detectAppArmor, answers)).toMatchObject({ value: { enabled: { ok: true, value } } })
})

test('the reason for an unusable list of AppArmor profiles says whether it is empty or missing', async () => {
  const path = '/sys/kernel/security/apparmor/profiles'
  const why = async (answer: Answers[string]) =>
    await detect(detectAppArmor, {
      '/sys/module/apparmor/parameters/enabled': 'Y\n',
      '/etc/apparmor.d/fusermount3': undefined,
      '/etc/apparmor.d/podman': undefined,
      [path]: answer
    })
  expect(await why('')).toMatchObject({ value: { profiles: { ok: false, why: `${path} is empty` } } })
  expect(await why(undefined)).toMatchObject({ value: { profiles: { ok: false, why: `${path} is missing` } } })
})
