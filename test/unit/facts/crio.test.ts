import { describe, expect, test } from 'vitest'
import { detectCrioDevices, parseAllowedDevices } from '../../../src/facts/crio.ts'
import { IDEAL } from '../node-facts.ts'
import { type Answers, detect } from './replay.ts'

const DEFAULT = ['/dev/fuse', '/dev/net/tun']
const node = (containerRuntime: string) => ({ node: { ...IDEAL.node, containerRuntime } })
const CRIO = node('cri-o://1.33.4')
const NONE: Answers = { '/etc/crio/crio.conf': undefined, '/etc/crio/crio.conf.d': undefined }
const devices = (list: string) => `[crio.runtime]\nallowed_devices = ${list}\n`
const dropIns = (files: Readonly<Record<string, string>>): Answers => ({
  '/etc/crio/crio.conf.d': Object.keys(files),
  ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`/etc/crio/crio.conf.d/${name}`, text]))
})

describe('the devices that CRI-O gives to pods', () => {
  test.each<[string, Answers, readonly string[]]>([
    ['are its own choice where no file says so', NONE, DEFAULT],
    ['are those of its file', { ...NONE, '/etc/crio/crio.conf': devices('["/dev/kvm"]') }, ['/dev/kvm']],
    ['may be none', { ...NONE, '/etc/crio/crio.conf': devices('[]') }, []],
    [
      'are those of the last file that has a list',
      {
        '/etc/crio/crio.conf': devices('["/dev/kvm"]'),
        ...dropIns({ '99-z': '[crio.runtime]\n', '20-b.conf': devices('["/dev/fuse"]'), '10-a.conf': devices('["/dev/tty0"]') })
      },
      ['/dev/fuse']
    ]
  ])('%s', async (_, answers, value) => {
    expect(await detect(detectCrioDevices, answers, CRIO)).toEqual({ value })
  })

  test.each<[string, Answers, RegExp]>([
    ['is closed to us', { ...NONE, '/etc/crio/crio.conf': { error: 'EACCES' } }, /crio.conf.*EACCES/],
    ['is closed to us as a folder', { ...NONE, '/etc/crio/crio.conf.d': { error: 'EACCES' } }, /EACCES/],
    ['is no TOML', { ...NONE, '/etc/crio/crio.conf': 'x =\n' }, /crio.conf cannot be parsed/],
    [
      'has another form',
      { ...NONE, '/etc/crio/crio.conf': devices('[1]') },
      /crio.conf cannot be parsed: allowed_devices is \[1\]/
    ]
  ])('are unknown if its configuration %s', async (_, answers, why) => {
    expect(await detect(detectCrioDevices, answers, CRIO)).toEqual({ unsure: expect.stringMatching(why) })
  })

  test('are read only if CRI-O is the runtime, by the Node or else by its folder', async () => {
    expect(await detect(detectCrioDevices, {}, node('containerd://2.1.4'))).toEqual({ value: [] })
    expect(await detect(detectCrioDevices, { '/etc/crio': undefined })).toEqual({ value: [] })
    expect(await detect(detectCrioDevices, { ...NONE, '/etc/crio': ['crio.conf.d'] })).toEqual({ value: DEFAULT })
  })
})

test.each([
  ['', undefined],
  ['[crio]\nruntime = 1\n', undefined],
  ['[crio.image]\nallowed_devices = ["/dev/x"]\n', undefined],
  ['[crio.runtime]\nallowed_devices = [\n  "/dev/fuse", # for Podman\n]\n', ['/dev/fuse']]
])('in %j the allowed devices are %j', (text, found) => {
  expect(parseAllowedDevices(text)).toEqual(found)
})
