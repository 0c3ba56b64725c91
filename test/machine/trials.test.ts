import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Proof, TRIALS, type TrialName } from '../../src/facts/proofs.ts'
import type { HostWriter } from '../../src/host/writer.ts'
import { TRIAL_SECONDS } from '../../src/trials/reading.ts'
import { tryAll } from '../../src/trials/run-trials.ts'
import { givenSeconds } from '../unit/trials/node.ts'
import { machineImage } from './image.ts'
import type { Series } from './kernels.ts'
import { bootMachine, type Machine } from './machine.ts'
import { type BuildableStandIn, standInModule } from './stand-in.ts'

const refused = (): never => {
  throw new Error('a trial does not ask this')
}

/** An emulated processor that other machines load takes many times what a trial takes on a node. */
const SLOWER = 20
const patiently = (argv: readonly string[]) => givenSeconds(argv, TRIAL_SECONDS * SLOWER)

/** The machine as the helper would see it from within; `prefix` stands before every program. */
function within(machine: Machine, prefix: readonly string[] = []): HostWriter {
  const asked = async (command: readonly string[]): Promise<string | undefined> => {
    const { status, stdout } = await machine.run(command)
    return status === 0 ? stdout : undefined
  }
  return {
    read: path => asked(['cat', path]),
    list: async path => (await asked(['ls', '-1A', path]))?.split('\n').filter(name => name !== ''),
    stat: async path =>
      (await asked(['test', '-e', path])) === undefined ? undefined : { kind: 'directory', mode: 0, device: '' },
    realpath: async path => (await asked(['realpath', '-e', path]))?.trimEnd(),
    inside: path => path,
    exec: (argv, { timeout }) => machine.run([...prefix, ...patiently(argv)], { timeout: timeout * SLOWER }),
    lines: refused,
    statfs: refused,
    run: refused,
    arch: refused,
    inventory: refused,
    write: refused,
    put: refused,
    copy: refused,
    remove: refused,
    removeEmpty: refused,
    lock: refused
  }
}

interface Booted {
  readonly machine: Machine
  /** What every trial comes to, and why; throws where one leaves something behind. */
  readonly tried: (prefix?: readonly string[]) => Promise<{ readonly outcomes: Outcomes; readonly reasons: string }>
  /** This module is loaded, and no other of that name. */
  readonly load: (name: BuildableStandIn) => Promise<void>
}

type Format = 'ext4' | 'xfs' | 'btrfs'

async function boot(kernel: Series, format: Format): Promise<Booted> {
  const files = (await machineImage()).kernels[kernel]
  const module = (name: BuildableStandIn) => standInModule(name, files, `opt/${name}.ko`)
  const disk = { format, mebibytes: format === 'ext4' ? 64 : 320 }
  const machine = await bootMachine({ kernel, disk, files: await Promise.all([module('shiftfs'), module('shiftfs-broken')]) })
  await machine.must('modprobe overlay; mkdir -p /var/lib && chmod 700 /data && ln -s /data /var/lib/kubelet')
  const before = await machine.must('cat /proc/self/mountinfo')
  return {
    machine,
    tried: async (prefix = []) => {
      const proofs = await tryAll(within(machine, prefix))
      expect(await machine.must('cat /proc/self/mountinfo; ls -A /data | grep berth || true')).toBe(before)
      const reasons = TRIALS.map(name => `${name}: ${proofs[name].because}`).join('\n')
      process.stdout.write(`${kernel} on ${format}\n${reasons}\n`)
      return {
        outcomes: Object.fromEntries(TRIALS.map(name => [name, proofs[name].outcome])) as unknown as Outcomes,
        reasons
      }
    },
    load: async name => {
      await machine.must(`! grep -q ^shiftfs /proc/modules || rmmod shiftfs; insmod /opt/${name}.ko`)
    }
  }
}

type Outcomes = Readonly<Record<TrialName, Proof['outcome']>>

const ABSENT = { 'shiftfs-on-disk': 'untried', 'shiftfs-on-overlay': 'untried', procfs: 'works' } as const
const NO_MAPPING = { ...ABSENT, 'id-mapped-mount': 'fails', 'overlay-on-id-mapped': 'fails' } as const
const MAPPING = { ...ABSENT, 'id-mapped-mount': 'works', 'overlay-on-id-mapped': 'works' } as const
const works = { 'shiftfs-on-disk': 'works', 'shiftfs-on-overlay': 'works' } as const
const fails = { 'shiftfs-on-disk': 'fails', 'shiftfs-on-overlay': 'fails' } as const

const cases: readonly (readonly [Series, Format, Outcomes, because: string])[] = [
  ['5.10', 'ext4', NO_MAPPING, 'the kernel has no ID-mapped mounts (mount_setattr: ENOSYS)'],
  ['6.1', 'ext4', MAPPING, 'id-mapped-mount: mountinfo says "idmapped"'],
  ['6.12', 'xfs', MAPPING, 'id-mapped-mount: mountinfo says "idmapped"']
]

describe.each(cases)('the trials in a machine with kernel %s on %s', (kernel, format, expected, because) => {
  let booted: Booted
  beforeAll(async () => {
    booted = await boot(kernel, format)
  })
  afterAll(() => booted?.machine.kill())

  test('tell what the kernel can, and load no module', async () => {
    const { outcomes, reasons } = await booted.tried()
    expect(outcomes).toEqual(expected)
    expect(reasons).toContain(because)
    expect((await booted.machine.run('grep shiftfs /proc/modules')).status).toBe(1)
  })

  test('find that a stand-in for shiftfs works', async () => {
    await booted.load('shiftfs')
    expect((await booted.tried()).outcomes).toEqual({ ...expected, ...works })
  })
})

describe('the trials in a machine with a stand-in for shiftfs', () => {
  let booted: Booted
  beforeAll(async () => {
    booted = await boot('6.1', 'ext4')
  })
  afterAll(() => booted?.machine.kill())

  test('give the same answers by perl as by mount of util-linux 2.39 and newer', async () => {
    await booted.load('shiftfs')
    const old = `printf '#!/bin/sh\\n[ "$1" = --version ] && exit\\nexec /usr/bin/mount "$@"\\n'`
    await booted.machine.must(`mkdir -p /old; ${old} >/old/mount; chmod 755 /old/mount /old`)
    const { outcomes } = await booted.tried(['env', 'PATH=/old:/usr/sbin:/usr/bin'])
    expect(outcomes).toEqual({ ...MAPPING, ...works })
  })

  test('find that one which cannot rename does not work, and do not hold it', async () => {
    await booted.load('shiftfs-broken')
    const { outcomes, reasons } = await booted.tried()
    expect(outcomes).toEqual({ ...MAPPING, ...fails })
    expect(reasons).toContain('renaming a new file: EOVERFLOW')
    await booted.machine.must('rmmod shiftfs')
  })

  test('prove nothing about mounts without the right to mount', async () => {
    const { outcomes } = await booted.tried(['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'])
    expect(outcomes).toMatchObject({ 'id-mapped-mount': 'untried', 'overlay-on-id-mapped': 'untried' })
  })
})
