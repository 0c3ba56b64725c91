import { describe, expect, test } from 'vitest'
import { detectLoadPin } from '../../../src/facts/loadpin.ts'
import { detectLockdown, parseLockdown } from '../../../src/facts/lockdown.ts'
import { detectSignatureEnforcement } from '../../../src/facts/module-signatures.ts'
import { detectModuleSwitch } from '../../../src/facts/module-switch.ts'
import { detectSecureBoot, parseEfiByte } from '../../../src/facts/secure-boot.ts'
import { endless, everyParsed, garbage } from './garbage.ts'
import { type Answers, detect } from './replay.ts'

describe('an efivar of one byte', () => {
  test.each([
    ['\x06\0\0\0\x01', 1],
    ['\x06\0\0\0\0', 0],
    ['\x16\0\0\0\x01', 1],
    ['\x27\0\0\0\0', 0]
  ])('%j is %i', (text, byte) => {
    expect(parseEfiByte(text)).toBe(byte)
  })

  test.each([
    [''],
    ['\x06\0\0\0'],
    ['\x06\0\0\0\x02'],
    ['\x06\0\0\x01'],
    ['\x06\0\0\0\0\0'],
    ['\x06\0\0\0\x01\n'],
    ['00000'],
    ['\x06\0\0\0\ufffd'],
    ['\0']
  ])('is not found in %j', text => {
    expect(parseEfiByte(text)).toBeUndefined()
  })

  test('is 0 or 1 of five bytes, or nothing, whatever the bytes are', () => {
    everyParsed(garbage('\x06\0\0\0\x01'), parseEfiByte, (byte, text) => {
      expect([text.length, text.charCodeAt(4)]).toEqual([5, byte])
      expect(byte).toBeLessThanOrEqual(1)
    })
    expect(parseEfiByte(endless('\0'))).toBeUndefined()
  })
})

describe('the lockdown level', () => {
  test.each([
    ['[none] integrity confidentiality\n', 'none'],
    ['none [integrity] confidentiality\n', 'integrity'],
    ['none integrity [confidentiality]\n', 'confidentiality'],
    ['[none]\n', 'none'],
    ['none [integrity] confidentiality', 'integrity']
  ])('of %j is %s', (text, level) => {
    expect(parseLockdown(text)).toBe(level)
  })

  test.each([
    [''],
    ['none integrity confidentiality\n'],
    ['[none] [integrity] confidentiality\n'],
    ['[none'],
    ['none [integ'],
    ['[other] none\n'],
    ['[]\n'],
    ['none [integrity]  confidentiality\n'],
    ['[none]\n[integrity]\n']
  ])('is unknown from %j', text => {
    expect(parseLockdown(text)).toBeUndefined()
  })

  test('of any bytes is the marked one, or unknown', () => {
    const texts = garbage('none [integrity] confidentiality\n', '[none] integrity confidentiality\n')
    everyParsed(texts, parseLockdown, (level, text) => expect(text.match(/\[\w+\]/g)).toEqual([`[${level}]`]))
  })

  test.each([[endless('none ')], [endless('a')], [endless('[none] ')], [endless(' a', '[none]', '!')]])(
    'of 1 MB is judged like any other (%#)',
    text => {
      expect(parseLockdown(text)).toBeUndefined()
    }
  )
})

const SECURE_BOOT = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c'
const MOK = '/sys/firmware/efi/efivars/MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23'

describe('Secure Boot', () => {
  const uefi = { '/sys/firmware': ['acpi', 'efi'], '/sys/firmware/efi/efivars': ['SecureBoot-8be4'], [MOK]: undefined }
  const sys = { '/sys/kernel': ['security'] }

  test.each<[string, Answers, string]>([
    ['off without EFI', { ...sys, '/sys/firmware': ['acpi', 'dmi'] }, 'off'],
    ['off where no firmware shows', { ...sys, '/sys/firmware': undefined }, 'off'],
    ['off by its variable', { ...sys, ...uefi, [SECURE_BOOT]: '\x06\0\0\0\0' }, 'off'],
    ['on by its variable', { ...sys, ...uefi, [SECURE_BOOT]: '\x06\0\0\0\x01' }, 'on'],
    ['off where shim checks nothing', { ...sys, ...uefi, [SECURE_BOOT]: '\x06\0\0\0\x01', [MOK]: '\x06\0\0\0\x01' }, 'off'],
    ['on where shim checks', { ...sys, ...uefi, [SECURE_BOOT]: '\x06\0\0\0\x01', [MOK]: '\x06\0\0\0\0' }, 'on']
  ])('is %s', async (_, answers, state) => {
    expect(await detect(detectSecureBoot, answers)).toEqual({ value: state })
  })

  test.each<[string, Answers, string]>([
    ['a masked /sys/firmware', { ...sys, '/sys/firmware': [] }, 'the container runtime masks it'],
    ['efivarfs not mounted', { ...sys, ...uefi, '/sys/firmware/efi/efivars': [] }, 'efivarfs is not mounted'],
    ['no efivars at all', { ...sys, ...uefi, '/sys/firmware/efi/efivars': undefined }, 'efivarfs is not mounted'],
    ['a missing variable', { ...sys, ...uefi, [SECURE_BOOT]: undefined }, 'no SecureBoot variable'],
    ['a short variable', { ...sys, ...uefi, [SECURE_BOOT]: '\x06\0' }, 'four bytes'],
    ['an unreadable variable', { ...sys, ...uefi, [SECURE_BOOT]: { error: 'EIO' } }, 'EIO'],
    [
      'an unreadable variable of shim',
      { ...sys, ...uefi, [SECURE_BOOT]: '\x06\0\0\0\x01', [MOK]: { error: 'EACCES' } },
      'EACCES'
    ],
    ['no /sys', { '/sys/kernel': undefined }, '/sys of the node is not mounted']
  ])('is unknown with %s', async (_, answers, why) => {
    expect(await detect(detectSecureBoot, answers)).toEqual({ unsure: expect.stringContaining(why) })
  })
})

describe('module signatures', () => {
  const proc = { '/proc/sys/kernel': ['x'], '/proc/sys/kernel/osrelease': '5.15.0-1084-aws\n' }
  const parameter = '/sys/module/module/parameters/sig_enforce'
  const none = {
    ...proc,
    [parameter]: undefined,
    '/proc/cmdline': 'ro quiet\n',
    '/boot/config-5.15.0-1084-aws': undefined,
    '/lib/modules/5.15.0-1084-aws/config': undefined
  }

  test.each<[string, Answers, boolean]>([
    ['enforced by the parameter', { ...none, [parameter]: 'Y\n' }, true],
    [
      'not enforced by the parameter, which knows best',
      { ...none, [parameter]: 'N\n', '/proc/cmdline': 'module.sig_enforce\n' },
      false
    ],
    ['enforced on the command line', { ...none, '/proc/cmdline': 'ro module.sig_enforce=1\n' }, true],
    ['enforced on the command line without a value', { ...none, '/proc/cmdline': 'module.sig_enforce ro\n' }, true],
    ['not enforced with a value of 0', { ...none, '/proc/cmdline': 'module.sig_enforce=0\n' }, false],
    [
      'enforced by the kernel’s configuration',
      { ...none, '/boot/config-5.15.0-1084-aws': 'CONFIG_A=y\nCONFIG_MODULE_SIG_FORCE=y\n' },
      true
    ],
    [
      'enforced by the configuration among the modules',
      { ...none, '/lib/modules/5.15.0-1084-aws/config': 'CONFIG_MODULE_SIG_FORCE=y\n' },
      true
    ],
    [
      'not enforced by the configuration',
      { ...none, '/boot/config-5.15.0-1084-aws': '# CONFIG_MODULE_SIG_FORCE is not set\n' },
      false
    ],
    ['not enforced by anything', none, false]
  ])('are %s', async (_, answers, enforced) => {
    expect(await detect(detectSignatureEnforcement, answers)).toEqual({ value: enforced })
  })

  test.each<[string, Answers]>([
    ['an unreadable parameter', { ...none, [parameter]: { error: 'EACCES' } }],
    ['a garbled parameter', { ...none, [parameter]: 'maybe\n' }],
    ['a configuration that is cut short', { ...none, '/boot/config-5.15.0-1084-aws': 'CONFIG_MODULE_SIG' }]
  ])('are unknown with %s', async (_, answers) => {
    expect(await detect(detectSignatureEnforcement, answers)).toHaveProperty('unsure')
  })
})

describe('module loading', () => {
  const proc = { '/proc/sys/kernel': ['x'], '/proc/cmdline': 'ro\n' }
  const path = '/proc/sys/kernel/modules_disabled'

  test.each<[string, Answers, boolean]>([
    ['on', { ...proc, [path]: '0\n' }, false],
    ['off by modules_disabled', { ...proc, [path]: '1\n' }, true],
    ['off by nomodule', { ...proc, [path]: '0\n', '/proc/cmdline': 'ro nomodule\n' }, true],
    ['on with a word that only holds nomodule', { ...proc, [path]: '0\n', '/proc/cmdline': 'xnomodule nomodule=1x\n' }, false],
    ['off in a kernel without modules', { ...proc, [path]: undefined }, true]
  ])('is %s', async (_, answers, disabled) => {
    expect(await detect(detectModuleSwitch, answers)).toEqual({ value: { disabled } })
  })

  test.each<[string, Answers]>([
    ['an unreadable switch', { ...proc, [path]: { error: 'EACCES' } }],
    ['a garbled switch', { ...proc, [path]: 'x' }],
    ['a command line that is cut short', { ...proc, [path]: '0\n', '/proc/cmdline': 'ro nomod' }],
    ['no /proc', { '/proc/sys/kernel': undefined }]
  ])('is unknown with %s', async (_, answers) => {
    expect(await detect(detectModuleSwitch, answers)).toHaveProperty('unsure')
  })
})

describe('LoadPin', () => {
  const lsm = '/sys/kernel/security/lsm'
  const enforce = '/proc/sys/kernel/loadpin/enforce'
  const securityfs = { '/sys/kernel/security': ['lsm'] }

  test.each<[string, Answers, boolean]>([
    ['among the security modules', { ...securityfs, [lsm]: 'capability,yama,loadpin,safesetid\n' }, true],
    ['not among them', { ...securityfs, [lsm]: 'lockdown,capability,landlock,yama,apparmor\n' }, false],
    ['not a part of a name', { ...securityfs, [lsm]: 'capability,myloadpin\n' }, false],
    ['told by its sysctl', { ...securityfs, [lsm]: undefined, [enforce]: '1\n' }, true],
    ['nowhere', { ...securityfs, [lsm]: undefined, [enforce]: undefined }, false]
  ])('is %s', async (_, answers, pinned) => {
    expect(await detect(detectLoadPin, answers)).toEqual({ value: pinned })
  })

  test.each<[string, Answers]>([
    ['an empty securityfs', { '/sys/kernel/security': [] }],
    ['no securityfs', { '/sys/kernel/security': undefined }],
    ['an unreadable list', { ...securityfs, [lsm]: { error: 'EACCES' } }]
  ])('is unknown with %s', async (_, answers) => {
    expect(await detect(detectLoadPin, answers)).toHaveProperty('unsure')
  })
})

describe('an option on the command line counts only as a whole word', () => {
  const proc = { '/proc/sys/kernel/osrelease': '6.1.0\n' }
  const none: Answers = {
    ...proc,
    '/sys/module/module/parameters/sig_enforce': undefined,
    '/boot/config-6.1.0': undefined,
    '/lib/modules/6.1.0/config': undefined
  }

  test.each([
    ['module.sig_enforce=1 ro', true],
    ['ro\tmodule.sig_enforce', true],
    ['ro module.sig_enforce=1', true],
    ['xmodule.sig_enforce=1', false],
    ['module.sig_enforcex', false],
    ['module.sig_enforce=0', false],
    ['ro', false]
  ])('%j enforces signatures: %s', async (cmdline, enforced) => {
    expect(await detect(detectSignatureEnforcement, { ...none, '/proc/cmdline': `${cmdline}\n` })).toEqual({ value: enforced })
  })

  test.each([
    ['nomodule ro', true],
    ['ro nomodule', true],
    ['ro\tnomodule\tquiet', true],
    ['nomodules', false],
    ['xnomodule', false]
  ])('%j disables modules: %s', async (cmdline, disabled) => {
    const answers = { '/proc/cmdline': `${cmdline}\n`, '/proc/sys/kernel/modules_disabled': '0\n' }
    expect(await detect(detectModuleSwitch, answers)).toEqual({ value: { disabled } })
  })

  test.each([
    ['CONFIG_MODULE_SIG_FORCE=y\n', true],
    ['CONFIG_MODULE_SIG_FORCE=n\n', false],
    ['XCONFIG_MODULE_SIG_FORCE=y\n', false],
    ['CONFIG_MODULE_SIG_FORCE_X=y\n', false],
    ['CONFIG_MODULE_SIG=y\n', false]
  ])('%j in the kernel’s configuration enforces them: %s', async (config, enforced) => {
    const answers = { ...none, '/proc/cmdline': 'ro\n', '/boot/config-6.1.0': config }
    expect(await detect(detectSignatureEnforcement, answers)).toEqual({ value: enforced })
  })
})

test.each<[Answers[string], boolean]>([
  ['0\n', false],
  ['1\n', true],
  [undefined, false]
])('LoadPin whose sysctl holds %j pins: %s', async (answer, pinned) => {
  const answers = {
    '/sys/kernel/security': ['apparmor'],
    '/sys/kernel/security/lsm': undefined,
    '/proc/sys/kernel/loadpin/enforce': answer
  }
  expect(await detect(detectLoadPin, answers)).toEqual({ value: pinned })
})

test.each<[Answers[string], object]>([
  [undefined, { value: 'absent' }],
  ['[none] integrity confidentiality\n', { value: 'none' }],
  ['none integrity [confidentiality]\n', { value: 'confidentiality' }],
  [{ error: 'EACCES' }, { unsure: expect.stringContaining('EACCES') }]
])('lockdown whose file holds %j is %j', async (answer, found) => {
  const answers = { '/sys/kernel/security': ['lockdown'], '/sys/kernel/security/lockdown': answer }
  expect(await detect(detectLockdown, answers)).toEqual(found)
})

test('LoadPin is found at the end of the list', async () => {
  const answers = { '/sys/kernel/security': ['lsm'], '/sys/kernel/security/lsm': 'capability,loadpin\n' }
  expect(await detect(detectLoadPin, answers)).toEqual({ value: true })
})
