import { describe, expect, test } from 'vitest'
import { detectGpus } from '../../../src/facts/gpu/gpus.ts'
import { detectMig } from '../../../src/facts/gpu/mig.ts'
import { detectNvidiaDevices } from '../../../src/facts/gpu/nvidia-devices.ts'
import { detectNvidiaDriver, parseNvidiaVersion } from '../../../src/facts/gpu/nvidia-driver.ts'
import { detectNvidiaLibrary, parseLibraryVersion } from '../../../src/facts/gpu/nvidia-library.ts'
import { parseNode } from '../../../src/facts/node-object.ts'
import { endless, everyParsed, garbage } from './garbage.ts'
import { type Answers, detect } from './replay.ts'

const CLOSED =
  'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.135  Fri Jan 10 20:00:00 UTC 2025\nGCC version:  gcc version 11.4.0\n'
const OPEN =
  'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (dvs-builder@x)  Tue Sep 23 09:55:41 UTC 2025\n'

describe('the version of the NVIDIA driver', () => {
  test.each([
    [CLOSED, '550.135', false],
    [OPEN, '580.95.05', true],
    ['NVRM version: NVIDIA UNIX aarch64 Kernel Module  535.129.03  Thu\n', '535.129.03', false],
    ['NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  560.35.03  x\n', '560.35.03', true]
  ])('%j', (text, version, open) => {
    expect(parseNvidiaVersion(text)).toEqual({ version, open })
  })

  test.each([
    [''],
    ['NVRM version: NVIDIA UNIX x86_64 Kernel Module  550\n'],
    ['NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.1'],
    ['GCC version:  gcc version 11.4.0\n'],
    ['Kernel Module  550.135 x\n']
  ])('is not found in %j', text => {
    expect(parseNvidiaVersion(text)).toBeUndefined()
  })

  test('of any bytes is numbers with dots, or nothing', () => {
    everyParsed(garbage(CLOSED, OPEN), parseNvidiaVersion, ({ version }) => expect(version).toMatch(/^\d+(\.\d+)+$/))
  })

  test.each([
    [endless('NVRM version:')],
    [endless('NVRM version:\n')],
    [endless('Kernel Module ', 'NVRM version:')],
    [endless('1.', 'NVRM version: Kernel Module ')],
    [endless('1', 'NVRM version: Kernel Module 1.')],
    [endless(' ', 'NVRM version: Kernel Module')],
    [endless('Open ', 'NVRM version:')],
    [endless('Kernel Module for x', 'NVRM version:')]
  ])('of 1 MB is judged like any other (%#)', text => {
    expect(parseNvidiaVersion(text)).toBeUndefined()
  })

  test('is none without a driver, and unknown if unreadable or incomplete', async () => {
    const path = '/proc/driver/nvidia/version'
    expect(await detect(detectNvidiaDriver, { [path]: undefined })).toEqual({ value: 'none' })
    expect(await detect(detectNvidiaDriver, { [path]: OPEN })).toEqual({ value: { version: '580.95.05', open: true } })
    for (const answer of [{ error: 'EACCES' }, OPEN.slice(0, -5), 'x\n', '']) {
      expect(await detect(detectNvidiaDriver, { [path]: answer })).toHaveProperty('unsure')
    }
  })
})

const device = (address: string, vendor: string, kind: string, driver?: string): Answers => {
  const path = `/sys/bus/pci/devices/${address}`
  return {
    [`${path}/vendor`]: `${vendor}\n`,
    [`${path}/class`]: `${kind}\n`,
    [`${path}/driver`]: driver === undefined ? undefined : { link: `/sys/bus/pci/drivers/${driver}` }
  }
}
const ADDRESS = '0000:00:1e.0'
const bus = (answers: Answers, names: readonly string[] = [ADDRESS]): Answers => ({ '/sys/bus/pci/devices': names, ...answers })

describe('PCI devices', () => {
  test.each<[string, Answers, readonly object[]]>([
    ['an A10G', device(ADDRESS, '0x10de', '0x030200', 'nvidia'), [{ address: ADDRESS, vendor: 'nvidia', driver: 'nvidia' }]],
    [
      'an NVIDIA display',
      device(ADDRESS, '0x10de', '0x030000', 'nouveau'),
      [{ address: ADDRESS, vendor: 'nvidia', driver: 'nouveau' }]
    ],
    ['one without a driver', device(ADDRESS, '0x10de', '0x030200'), [{ address: ADDRESS, vendor: 'nvidia', driver: '' }]],
    [
      'one given away',
      device(ADDRESS, '0x10de', '0x030200', 'vfio-pci'),
      [{ address: ADDRESS, vendor: 'nvidia', driver: 'vfio-pci' }]
    ],
    ['NVIDIA audio', device(ADDRESS, '0x10de', '0x040300', 'snd_hda_intel'), []],
    ['NVIDIA USB', device(ADDRESS, '0x10de', '0x0c0330', 'xhci_hcd'), []],
    ['an NVSwitch', device(ADDRESS, '0x10de', '0x068000', 'nvidia-nvswitch'), []],
    ['an AMD Instinct', device(ADDRESS, '0x1002', '0x120000', 'amdgpu'), [{ address: ADDRESS, vendor: 'amd', driver: 'amdgpu' }]],
    ['an AMD display', device(ADDRESS, '0x1002', '0x038000', 'amdgpu'), [{ address: ADDRESS, vendor: 'amd', driver: 'amdgpu' }]],
    ['an Intel accelerator', device(ADDRESS, '0x8086', '0x038000', 'xe'), [{ address: ADDRESS, vendor: 'intel', driver: 'xe' }]],
    ['the console of a server', device(ADDRESS, '0x1a03', '0x030000', 'ast'), []],
    ['a network card', device(ADDRESS, '0x8086', '0x020000', 'ice'), []]
  ])('%s', async (_, answers, gpus) => {
    expect(await detect(detectGpus, bus(answers))).toEqual({ value: gpus })
  })

  test('the integrated graphics of an Intel processor are no GPU', async () => {
    expect(await detect(detectGpus, bus(device('0000:00:02.0', '0x8086', '0x030000', 'i915'), ['0000:00:02.0']))).toEqual({
      value: []
    })
  })

  test('a machine without PCI has none, and without /sys nothing is known', async () => {
    expect(await detect(detectGpus, { '/sys/bus/pci/devices': undefined, '/sys/bus': ['usb'] })).toEqual({ value: [] })
    expect(await detect(detectGpus, { '/sys/bus/pci/devices': undefined, '/sys/bus': undefined })).toHaveProperty('unsure')
  })

  test.each<[string, Answers]>([
    ['no vendor', { [`/sys/bus/pci/devices/${ADDRESS}/vendor`]: undefined }],
    ['a garbled vendor', { [`/sys/bus/pci/devices/${ADDRESS}/vendor`]: '10de\n' }],
    ['a vendor in capitals', { [`/sys/bus/pci/devices/${ADDRESS}/vendor`]: '0x10DE\n' }],
    ['a class cut short', { [`/sys/bus/pci/devices/${ADDRESS}/class`]: '0x0302\n' }],
    ['a closed class', { [`/sys/bus/pci/devices/${ADDRESS}/class`]: { error: 'EIO' } }],
    ['a closed driver', { [`/sys/bus/pci/devices/${ADDRESS}/driver`]: { error: 'EACCES' } }]
  ])('with %s are unknown', async (_, answers) => {
    expect(await detect(detectGpus, bus({ ...device(ADDRESS, '0x10de', '0x030200', 'nvidia'), ...answers }))).toHaveProperty(
      'unsure'
    )
  })
})

test('the device files are known, and the number of GPUs that the driver manages', async () => {
  const answers: Answers = {
    '/dev': ['nvidiactl'],
    '/dev/nvidiactl': { stat: { kind: 'character', mode: 0o666, device: '195:255' } },
    '/run/nvidia/driver/dev/nvidiactl': undefined,
    '/proc/driver/nvidia/gpus': ['0000:00:1e.0', '0000:00:1f.0'],
    '/sys/module/nouveau': undefined
  }
  expect(await detect(detectNvidiaDevices, answers)).toEqual({ value: { control: true, gpus: 2, nouveau: false } })
  const without = { ...answers, '/dev/nvidiactl': 'a file', '/proc/driver/nvidia/gpus': undefined, '/sys/module/nouveau': [] }
  expect(await detect(detectNvidiaDevices, without)).toEqual({ value: { control: false, gpus: 0, nouveau: true } })
  const contained = {
    ...without,
    '/run/nvidia/driver/dev/nvidiactl': { stat: { kind: 'character', mode: 0o666, device: '195:255' } }
  } as const
  expect(await detect(detectNvidiaDevices, contained)).toMatchObject({ value: { control: true } })
  expect(await detect(detectNvidiaDevices, { ...answers, '/dev': undefined })).toHaveProperty('unsure')
  expect(await detect(detectNvidiaDevices, { ...answers, '/dev/nvidiactl': { error: 'EACCES' } })).toHaveProperty('unsure')
})

describe('MIG', () => {
  const directory = '/proc/driver/nvidia/capabilities'

  test.each<[string, Answers, boolean]>([
    ['off without a driver', { [directory]: undefined }, false],
    ['off where no GPU has instances', { [directory]: ['gpu0', 'mig'], [`${directory}/gpu0/mig`]: [] }, false],
    ['off where GPUs cannot be split', { [directory]: ['gpu0'], [`${directory}/gpu0/mig`]: undefined }, false],
    [
      'on with one instance',
      { [directory]: ['gpu0', 'gpu1'], [`${directory}/gpu0/mig`]: [], [`${directory}/gpu1/mig`]: ['gi7'] },
      true
    ]
  ])('is %s', async (_, answers, split) => {
    expect(await detect(detectMig, answers)).toEqual({ value: split })
  })

  test('is on if the Node offers instances, and unknown if the list cannot be read', async () => {
    const node = parseNode({ kind: 'Node', metadata: { name: 'a' }, status: { allocatable: { 'nvidia.com/mig-1g.5gb': '7' } } })
    expect(await detect(detectMig, {}, { node })).toEqual({ value: true })
    expect(await detect(detectMig, { [directory]: ['gpu0'], [`${directory}/gpu0/mig`]: { error: 'EACCES' } })).toHaveProperty(
      'unsure'
    )
  })
})

test.each<[string, string, string | undefined]>([
  ['0x10de', '0x030000', 'nvidia'],
  ['0x10de', '0x030200', 'nvidia'],
  ['0x10de', '0x038000', undefined],
  ['0x1002', '0x030000', 'amd'],
  ['0x1002', '0x030200', 'amd'],
  ['0x1002', '0x038000', 'amd'],
  ['0x1002', '0x120000', 'amd'],
  ['0x1002', '0x040300', undefined],
  ['0x8086', '0x030000', 'intel'],
  ['0x8086', '0x038000', 'intel'],
  ['0x8086', '0x030200', undefined]
])('a device of %s and class %s is a GPU of %s', async (vendor, kind, maker) => {
  const { value } = (await detect(detectGpus, bus(device(ADDRESS, vendor, kind, 'x')))) as {
    value: readonly { vendor: string }[]
  }
  expect(value.map(gpu => gpu.vendor)).toEqual(maker === undefined ? [] : [maker])
})

test('only the graphics of an Intel processor are left out at 00:02.0', async () => {
  const amd = bus(device('0000:00:02.0', '0x1002', '0x030000', 'amdgpu'), ['0000:00:02.0'])
  expect(await detect(detectGpus, amd)).toMatchObject({ value: [{ vendor: 'amd' }] })
})

test.each([
  ['/vendor', '0x10de0\n'],
  ['/vendor', 'x0x10de\n'],
  ['/vendor', '0x10de\n\n'],
  ['/class', '0x03020\n'],
  ['/class', '0x0302000\n'],
  ['/class', '']
])('a device whose %s is %j makes the GPUs unknown', async (file, text) => {
  const answers = { ...device(ADDRESS, '0x10de', '0x030200', 'x'), [`/sys/bus/pci/devices/${ADDRESS}${file}`]: text }
  expect(await detect(detectGpus, bus(answers))).toEqual({ unsure: expect.stringContaining('does not hold a PCI id') })
})

test('a number without a newline is accepted', async () => {
  const path = `/sys/bus/pci/devices/${ADDRESS}`
  const answers = { ...device(ADDRESS, '0x10de', '0x030200'), [`${path}/vendor`]: '0x10de', [`${path}/class`]: '0x030200' }
  expect(await detect(detectGpus, bus(answers))).toMatchObject({ value: [{ vendor: 'nvidia' }] })
})

test.each<[string, Answers, boolean]>([
  ['a file that only begins like a GPU', { names: ['gpu0x'] }, false],
  ['a file that only ends like one', { names: ['xgpu0'] }, false],
  ['a GPU of two digits', { names: ['gpu10'], '/gpu10/mig': ['gi12'] }, true],
  ['entries that only look like instances', { names: ['gpu0'], '/gpu0/mig': ['gi', 'xgi1', 'gi1x'] }, false]
])('MIG by %s is %s', async (_, { names, ...entries }, split) => {
  const directory = '/proc/driver/nvidia/capabilities'
  const answers = Object.fromEntries(Object.entries(entries).map(([path, answer]) => [`${directory}${path}`, answer]))
  expect(await detect(detectMig, { [directory]: names, ...answers })).toEqual({ value: split })
})

test('whole GPUs of the Node, or instances of another vendor, are no MIG', async () => {
  const allocatable = { 'nvidia.com/gpu': '1', 'x.nvidia.com/mig-1': '1' }
  const node = parseNode({ kind: 'Node', metadata: { name: 'a' }, status: { allocatable } })
  expect(await detect(detectMig, { '/proc/driver/nvidia/capabilities': undefined }, { node })).toEqual({ value: false })
})

describe('the library of the driver', () => {
  const folders = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(name => `/usr/lib/${name}`).concat('/usr/lib64', '/usr/lib')
  const link = (folder: string) => `${folder}/libnvidia-ml.so.1`
  const nowhere: Answers = Object.fromEntries(
    ['', '/run/nvidia/driver'].flatMap(root => folders.map(folder => [link(root + folder), undefined]))
  )
  const at = (folder: string, version: string): Answers => ({ [link(folder)]: { link: `${folder}/libnvidia-ml.so.${version}` } })

  test.each(folders)('is found in %s, from the target of its link', async folder => {
    expect(await detect(detectNvidiaLibrary, { ...nowhere, ...at(folder, '550.135') })).toEqual({ value: ['550.135'] })
  })

  test('is found on the node and in the driver container', async () => {
    const both = { ...nowhere, ...at('/usr/lib64', '550.135'), ...at('/run/nvidia/driver/usr/lib64', '535.129.03') }
    expect(await detect(detectNvidiaLibrary, both)).toEqual({ value: ['535.129.03', '550.135'] })
  })

  test('may be missing, and is unknown if it cannot be read', async () => {
    expect(await detect(detectNvidiaLibrary, nowhere)).toEqual({ value: [] })
    expect(await detect(detectNvidiaLibrary, { ...nowhere, [link('/usr/lib64')]: { error: 'EACCES' } })).toHaveProperty('unsure')
  })

  test.each([
    ['/usr/lib64/libnvidia-ml.so.550.135', '550.135'],
    ['/usr/lib64/libnvidia-ml.so.535.129.03', '535.129.03'],
    ['/usr/lib64/libnvidia-ml.so.1', undefined],
    ['/usr/lib64/libnvidia-ml.so', undefined],
    ['/usr/lib64/libcuda.so.550.135', undefined],
    ['', undefined]
  ])('%s is of version %s', (path, version) => {
    expect(parseLibraryVersion(path)).toBe(version)
  })
})
