import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cloudOfDmi, cloudOfProvider, detectCloud } from '../../../src/facts/cloud.ts'
import type { Dmi } from '../../../src/facts/dmi.ts'
import { detectMachine, type MachineSigns, metalSign, parseHypervisorFlag, virtualSign } from '../../../src/facts/machine.ts'
import { parseNode } from '../../../src/facts/node-object.ts'
import { accepted, endless, everyParsed, garbage, outcome } from './garbage.ts'
import { type Answers, detect } from './replay.ts'

const dmi = (sys_vendor: string, product_name: string, more: Partial<Dmi> = {}): Dmi => ({
  sys_vendor,
  product_name,
  board_vendor: '',
  bios_vendor: '',
  product_version: '',
  ...more
})
const signs = (more: Partial<MachineSigns> = {}): MachineSigns => ({
  hypervisorFlag: false,
  dmi: dmi('Dell Inc.', 'PowerEdge R740'),
  hypervisor: '',
  ...more
})

describe('the processor’s flags', () => {
  test.each([
    ['processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n', true],
    ['flags\t\t: hypervisor\n', true],
    ['flags\t\t: fpu vme lahf_lm\n', false],
    ['flags\t\t: fpu nohypervisor hypervisorx\n', false],
    ['flags\t\t:\n', false],
    ['flags\t: fpu\n\nflags\t: fpu hypervisor\n', true],
    ['processor\t: 0\nFeatures\t: fp asimd evtstrm aes\n', undefined],
    ['vmx flags\t: hypervisor\nbugs\t: x\n', undefined],
    ['flags\t\t: fpu hyper', undefined],
    ['', undefined]
  ])('%j', (text, flag) => {
    expect(parseHypervisorFlag(text)).toBe(flag)
  })

  test('of any bytes contain hypervisor only if the word is in the text', () => {
    const texts = garbage('processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\n')
    everyParsed(
      texts,
      text => parseHypervisorFlag(text) || undefined,
      (_, text) => expect(text).toContain('hypervisor')
    )
  })

  test.each([
    [endless('flags')],
    [endless('flags\n')],
    [endless(' ', 'flags')],
    [endless('\n', 'flags')],
    [endless('flags :', '', '')]
  ])('of 1 MB are read like any others (%#)', text => {
    expect(parseHypervisorFlag(text)).toBeUndefined()
  })
})

describe('a virtual machine', () => {
  test.each<[string, Partial<MachineSigns>, string]>([
    ['the processor’s flag', { hypervisorFlag: true }, 'flag "hypervisor"'],
    ['/sys/hypervisor', { hypervisor: 'xen' }, 'the hypervisor xen'],
    ['the device tree', { hypervisor: 'linux,kvm' }, 'linux,kvm'],
    [
      'GCE on arm64',
      { hypervisorFlag: undefined, dmi: dmi('Google', 'Google Compute Engine') },
      'product_name "Google Compute Engine"'
    ],
    ['OCI on arm64', { hypervisorFlag: undefined, dmi: dmi('Oracle Corporation', 'x') }, 'sys_vendor "Oracle Corporation"'],
    ['EC2 Nitro', { dmi: dmi('Amazon EC2', 'm5.large') }, 'EC2 instance type "m5.large"'],
    ['EC2 Nitro with a GPU', { dmi: dmi('Amazon EC2', 'p5.48xlarge') }, 'p5.48xlarge'],
    ['EC2, told by its board only', { dmi: dmi('', 'metalx.large', { board_vendor: 'Amazon EC2' }) }, 'metalx.large'],
    ['EC2, whose name only begins like metal', { dmi: dmi('Amazon EC2', 'i3.metallic') }, 'i3.metallic'],
    ['EC2 Xen', { dmi: dmi('Xen', 'HVM domU') }, 'product_name "HVM domU"'],
    ['Azure', { dmi: dmi('Microsoft Corporation', 'Virtual Machine') }, 'product_name "Virtual Machine"'],
    ['OpenStack', { dmi: dmi('OpenStack Foundation', 'OpenStack Nova') }, 'OpenStack Nova'],
    ['Alibaba', { dmi: dmi('Alibaba Cloud', 'Alibaba Cloud ECS') }, 'Alibaba Cloud ECS'],
    ['VMware', { dmi: dmi('VMware, Inc.', 'VMware7,1') }, 'VMware7,1'],
    ['QEMU', { dmi: dmi('QEMU', 'Standard PC (Q35 + ICH9, 2009)') }, 'sys_vendor "QEMU"'],
    ['KVM of Red Hat', { dmi: dmi('Red Hat', 'KVM') }, 'product_name "KVM"'],
    ['VirtualBox', { dmi: dmi('innotek GmbH', 'VirtualBox') }, 'VirtualBox'],
    ['a virtual machine’s firmware only', { dmi: dmi('ACME', 'x', { bios_vendor: 'Bochs' }) }, 'bios_vendor "Bochs"'],
    [
      'Hyper-V, by its version',
      { dmi: dmi('Microsoft Corporation', 'x', { product_version: 'Hyper-V UEFI Release v4.1' }) },
      'Hyper-V'
    ]
  ])('shows by %s', (_, more, sign) => {
    expect(virtualSign(signs(more))).toContain(sign)
  })

  test.each<[string, Partial<MachineSigns>]>([
    ['Dell', {}],
    ['HPE', { dmi: dmi('HPE', 'ProLiant DL380 Gen10') }],
    ['Supermicro', { dmi: dmi('Supermicro', 'SYS-4029GP-TRT', { bios_vendor: 'American Megatrends Inc.' }) }],
    ['EC2 i3.metal', { dmi: dmi('Amazon EC2', 'i3.metal', { bios_vendor: 'Amazon EC2' }) }],
    ['EC2 c7i.metal-24xl', { dmi: dmi('Amazon EC2', 'c7i.metal-24xl') }],
    ['Oracle’s bare metal', { dmi: dmi('Oracle Corporation', 'ORACLE SERVER X9-2c') }],
    ['Google’s bare metal', { dmi: dmi('Google', 'Google Compute Engine') }],
    ['a Surface, of a maker of virtual machines', { dmi: dmi('Microsoft Corporation', 'Surface Hub') }],
    ['a maker whose name holds one of them', { dmi: dmi('Not QEMU', 'x KVM') }],
    ['no DMI', { dmi: undefined }]
  ])('does not show in %s', (_, more) => {
    expect(virtualSign(signs(more))).toBe('')
  })

  test('shows in any sign, whatever the others are', () => {
    const text = fc.string()
    const any = fc.record({
      hypervisorFlag: fc.constantFrom(true, false, undefined),
      dmi: fc.option(
        fc.record({ sys_vendor: text, product_name: text, board_vendor: text, bios_vendor: text, product_version: text }),
        { nil: undefined }
      ),
      hypervisor: fc.constant('')
    })
    fc.assert(
      fc.property(any, found => {
        expect(typeof virtualSign(found)).toBe('string')
        for (const sign of [{ hypervisorFlag: true }, { hypervisor: 'xen' }])
          expect(virtualSign({ ...found, ...sign })).not.toBe('')
      })
    )
  })
})

describe('bare metal', () => {
  test('is proved by a processor without the flag and a vendor name', () => {
    expect(metalSign(signs())).toBe('no processor flag "hypervisor", and Dell Inc. PowerEdge R740 in DMI')
  })

  const unflagged = (vendor: string, product: string) =>
    metalSign(signs({ hypervisorFlag: undefined, dmi: dmi(vendor, product) }))

  test.each([
    ['Ampere', 'Altra', 'Ampere Altra in DMI, a server vendor'],
    ['Supermicro', 'ARS-211M-NR', 'Supermicro ARS-211M-NR in DMI, a server vendor'],
    ['NVIDIA', 'GB200 NVL', 'NVIDIA GB200 NVL in DMI, a server vendor'],
    ['Amazon EC2', 'c7g.metal', 'EC2 instance type "c7g.metal"']
  ])('is accepted for %s %s on processors without flags', (vendor, product, sign) => {
    expect(unflagged(vendor, product)).toBe(sign)
  })

  test.each([
    ['Cloud Hypervisor', 'cloud-hypervisor'],
    ['Tencent Cloud', 'CVM'],
    ['Hetzner', 'vServer'],
    ['Google', 'x'],
    ['ACME', 'Altra'],
    ['Not Ampere', 'Altra']
  ])('is unknown for %s %s on processors without flags, and known on those with flags', (vendor, product) => {
    expect(() => unflagged(vendor, product)).toThrow(
      `the processor has no flag for virtual machines, and ${vendor} ${product} may be a virtual machine`
    )
    expect(outcome(() => metalSign(signs({ dmi: dmi(vendor, product) })))).not.toBe('refused')
  })

  test.each<[string, Partial<MachineSigns>]>([
    ['without DMI', { dmi: undefined }],
    ['without a maker', { dmi: dmi('', 'x') }],
    ['without a product', { dmi: dmi('Dell Inc.', '') }],
    ['with a maker of bytes', { dmi: dmi('\x01\x02', 'PowerEdge') }],
    ['with a maker of digits', { dmi: dmi('0000', 'PowerEdge') }],
    ['with a maker of broken UTF-8', { dmi: dmi('Dell\ufffd', 'PowerEdge') }],
    ['with a product of two lines', { dmi: dmi('Dell Inc.', 'Power\nEdge') }]
  ])('is not proved %s', (_, more) => {
    expect(outcome(() => metalSign(signs(more)))).toBe('refused')
  })

  test('has evidence or a reason for any DMI', () => {
    const name = garbage('Dell Inc.', 'PowerEdge R740')
    const signOf = ([vendor, product]: readonly [string, string]) =>
      accepted(() => metalSign(signs({ dmi: dmi(vendor, product) })))
    everyParsed(fc.tuple(name, name), signOf, sign => expect(sign).not.toMatch(/\p{Cc}/u))
    expect(outcome(() => metalSign(signs({ dmi: dmi(endless('a', '', '\0'), 'x') })))).toBe('refused')
  })
})

describe('the machine', () => {
  const node: Answers = {
    '/proc/cpuinfo': 'flags\t: fpu\n',
    '/sys/class/dmi/id': ['sys_vendor'],
    '/sys/class/dmi/id/product_name': 'PowerEdge R740\n',
    '/sys/class/dmi/id/sys_vendor': 'Dell Inc.\n',
    '/sys/class/dmi/id/board_vendor': 'Dell Inc.\n',
    '/sys/class/dmi/id/bios_vendor': 'Dell Inc.\n',
    '/sys/class/dmi/id/product_version': undefined,
    '/sys/class/dmi/id/chassis_asset_tag': '7783-7084-3265-9085-8269-3286-77\n',
    '/usr/bin/systemd-detect-virt --vm': undefined,
    '/sys/hypervisor/type': undefined,
    '/proc/device-tree/hypervisor/compatible': undefined
  }

  test.each<[string, Answers, object]>([
    ['metal', {}, { value: { kind: 'bare-metal' } }],
    ['metal, as systemd says too', { '/usr/bin/systemd-detect-virt --vm': 'none' }, { value: { kind: 'bare-metal' } }],
    [
      'virtual by the processor itself',
      { '/usr/bin/systemd-detect-virt --vm': 'kvm' },
      { value: { kind: 'virtual', sign: 'systemd-detect-virt says kvm' } }
    ],
    ['not known when systemd did not answer in time', { '/usr/bin/systemd-detect-virt --vm': { error: 'ETIMEDOUT' } }, {}],
    [
      'virtual by the device tree',
      { '/proc/device-tree/hypervisor/compatible': 'linux,kvm\0' },
      { value: { kind: 'virtual', sign: 'the hypervisor linux,kvm' } }
    ],
    ['not known without cpuinfo', { '/proc/cpuinfo': undefined }, { unsure: '/proc/cpuinfo is missing' }],
    ['not known with an empty cpuinfo', { '/proc/cpuinfo': '' }, { unsure: '/proc/cpuinfo lists no processor' }],
    [
      'not known with a cpuinfo of something else',
      { '/proc/cpuinfo': 'x: flags\n' },
      { unsure: '/proc/cpuinfo lists no processor' }
    ],
    ['not known with a cpuinfo that is cut short', { '/proc/cpuinfo': 'flags\t: fpu' }, {}],
    ['not known without DMI', { '/sys/class/dmi/id': undefined }, {}],
    ['not known with a closed DMI', { '/sys/class/dmi/id/sys_vendor': { error: 'EACCES' } }, {}]
  ])('is %s', async (_, answers, found) => {
    const seen = await detect(detectMachine, { ...node, ...answers })
    if (Object.keys(found).length > 0) expect(seen).toMatchObject(found)
    else expect(seen).toHaveProperty('unsure')
  })

  test('has its cloud from DMI if no Node names a provider', async () => {
    expect(await detect(detectCloud, node)).toEqual({ value: 'azure' })
    expect(await detect(detectCloud, { '/sys/class/dmi/id': undefined })).toHaveProperty('unsure')
  })
})

describe('the cloud', () => {
  test.each([
    ['aws:///us-west-2a/i-0123456789abcdef0', 'aws'],
    ['gce://my-project/us-central1-a/gke-x', 'gcp'],
    ['azure:///subscriptions/0/resourceGroups/x', 'azure'],
    ['oci://ocid1.instance', 'oci'],
    ['openstack:///7b3c', 'openstack'],
    ['hcloud://123', 'hetzner'],
    ['alicloud://cn.i-x', 'alibaba'],
    ['', undefined],
    ['kind://docker/kind/x', undefined],
    ['aws-like://x', undefined],
    ['constructor://x', undefined],
    ['__proto__', undefined]
  ])('of providerID %j is %s', (id, cloud) => {
    expect(cloudOfProvider(id)).toBe(cloud)
  })

  test.each<[string, Dmi, string, string]>([
    ['EC2', dmi('Amazon EC2', 'm5.large'), '', 'aws'],
    ['EC2 Xen', dmi('Xen', 'HVM domU', { bios_vendor: 'Amazon EC2' }), '', 'aws'],
    ['GCE', dmi('Google', 'Google Compute Engine'), '', 'gcp'],
    ['Azure', dmi('Microsoft Corporation', 'Virtual Machine'), '7783-7084-3265-9085-8269-3286-77', 'azure'],
    ['Hyper-V at home', dmi('Microsoft Corporation', 'Virtual Machine'), '1234', 'none'],
    ['OCI', dmi('QEMU', 'Standard PC (i440FX + PIIX, 1996)'), 'OracleCloud.com', 'oci'],
    ['Alibaba', dmi('Alibaba Cloud', 'Alibaba Cloud ECS'), '', 'alibaba'],
    ['OpenStack', dmi('OpenStack Foundation', 'OpenStack Compute'), '', 'openstack'],
    ['Hetzner', dmi('Hetzner', 'vServer'), '', 'hetzner'],
    ['a Dell', dmi('Dell Inc.', 'PowerEdge R740'), '', 'none']
  ])('is recognized by the DMI of %s', (_, found, tag, cloud) => {
    expect(cloudOfDmi(found, tag)).toBe(cloud)
  })

  test('is one of the known clouds for any text', () => {
    const known = ['aws', 'gcp', 'azure', 'oci', 'alibaba', 'openstack', 'hetzner', 'none']
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (vendor, product, tag) => {
        expect(known).toContain(cloudOfDmi(dmi(vendor, product), tag))
        expect([...known, undefined]).toContain(cloudOfProvider(vendor))
      })
    )
  })
})

describe('a DMI name of virtual machines is recognized in every field', () => {
  // systemd, src/basic/virt.c, detect_vm_dmi_vendor
  const names = [
    'KVM',
    'OpenStack Nova',
    'KubeVirt',
    'QEMU',
    'VMware, Inc.',
    'VMW',
    'innotek GmbH',
    'VirtualBox',
    'Oracle Corporation',
    'Xen',
    'Bochs',
    'Parallels Software',
    'BHYVE',
    'Hyper-V UEFI',
    'Apple Virtualization Generic Platform',
    'Google Compute Engine',
    'Virtual Machine',
    'HVM domU',
    'Alibaba Cloud ECS'
  ]
  const fields = ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor', 'product_version'] as const

  test.each(names)('%s', name => {
    for (const field of fields) {
      const flagless = (value: string) => signs({ hypervisorFlag: undefined, dmi: dmi('ACME', 'x', { [field]: value }) })
      expect(virtualSign(flagless(name))).toBe(`DMI ${field} "${name}"`)
      expect(virtualSign(flagless(`not ${name}`))).toBe('')
      const isAlsoMetal = ['Oracle Corporation', 'Google Compute Engine'].includes(name)
      const flagged = signs({ dmi: dmi('ACME', 'x', { [field]: name }) })
      expect(virtualSign(flagged)).toBe(isAlsoMetal ? '' : `DMI ${field} "${name}"`)
    }
  })
})

test.each(['ADLINK', 'Ampere', 'Dell Inc.', 'GIGABYTE', 'HPE', 'Lenovo', 'NVIDIA', 'Supermicro', 'Wiwynn'])(
  '%s makes servers: without a flag of the processor its name proves metal, as the maker and in no other field',
  name => {
    const found = (vendor: string, more: Partial<Dmi> = {}) =>
      accepted(() => metalSign(signs({ hypervisorFlag: undefined, dmi: dmi(vendor, 'x', more) })))
    expect(found(name)).toContain(name)
    expect(found(`${name} Ltd.`)).toContain(name)
    expect(found(`not ${name}`)).toBeUndefined()
    expect(found('ACME', { board_vendor: name, bios_vendor: name })).toBeUndefined()
  }
)

test('the hypervisor of a node is shown on one line: from Xen, else from the device tree', async () => {
  const cpu = { '/proc/cpuinfo': 'processor : 0\n', '/sys/class/dmi/id': undefined }
  const [xen, tree] = ['/sys/hypervisor/type', '/proc/device-tree/hypervisor/compatible']
  const sign = async (answers: Answers) => await detect(detectMachine, { ...cpu, ...answers })
  expect(await sign({ [xen]: 'xen\n', [tree]: 'other\0' })).toEqual({ value: { kind: 'virtual', sign: 'the hypervisor xen' } })
  expect(await sign({ [xen]: undefined, [tree]: 'xen,xen-4.17\0xen,xen\0' })).toEqual({
    value: { kind: 'virtual', sign: 'the hypervisor xen,xen-4.17 xen,xen' }
  })
})

test('an asset tag may have a newline, or be missing', async () => {
  const node: Answers = {
    '/sys/class/dmi/id': [],
    ...Object.fromEntries(
      ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor', 'product_version'].map(name => [
        `/sys/class/dmi/id/${name}`,
        'x\n'
      ])
    )
  }
  const tag = '/sys/class/dmi/id/chassis_asset_tag'
  expect(await detect(detectCloud, { ...node, [tag]: 'OracleCloud.com\n' })).toEqual({ value: 'oci' })
  expect(await detect(detectCloud, { ...node, [tag]: undefined })).toEqual({ value: 'none' })
  const aws = parseNode({ kind: 'Node', metadata: { name: 'a' }, spec: { providerID: 'aws:///x/i-1' } })
  expect(await detect(detectCloud, {}, { node: aws }), 'the Node is asked first').toEqual({ value: 'aws' })
})

test.each([
  ['none\n', 'bare-metal', /^Ampere Ampere in DMI/],
  ['kvm\n', 'virtual', /^systemd-detect-virt says kvm$/]
])('the output of systemd-detect-virt is read without its newline: %j', async (says, kind, sign) => {
  const names = ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor', 'product_version']
  const found = await detect(detectMachine, {
    '/proc/cpuinfo': 'processor : 0\n',
    '/sys/class/dmi/id': [],
    ...Object.fromEntries(names.map(name => [`/sys/class/dmi/id/${name}`, 'Ampere\n'])),
    '/sys/hypervisor/type': undefined,
    '/proc/device-tree/hypervisor/compatible': undefined,
    '/usr/bin/systemd-detect-virt --vm': says
  })
  expect(found).toEqual({ value: { kind, sign: expect.stringMatching(sign) } })
})

test.each<[Dmi, string]>([
  [dmi('Amazon EC2 (next)', 'm9.large'), 'aws'],
  [dmi('Alibaba Cloud', 'Alibaba Cloud ECS g9'), 'alibaba'],
  [dmi('x', 'My Alibaba Cloud ECS'), 'none'],
  [dmi('My Amazon EC2', 'x'), 'none']
])('a cloud is known by the beginning of its name: %j is %s', (found, cloud) => {
  expect(cloudOfDmi(found, '')).toBe(cloud)
})
