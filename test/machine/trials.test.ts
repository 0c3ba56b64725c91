import { describe, test } from 'vitest'
import { type Proof, TRIALS, type TrialName } from '../../src/facts/proofs.ts'
import type { HostWriter } from '../../src/host/writer.ts'
import { TRIAL_SECONDS } from '../../src/trials/reading.ts'
import { tryAll } from '../../src/trials/try.ts'
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
    remove: refused
  }
}

async function boot(kernel: Series, format: 'ext4' | 'xfs' | 'btrfs'): Promise<Machine> {
  const files = (await machineImage()).kernels[kernel]
  const module = (name: BuildableStandIn) => standInModule(name, files, `opt/${name}.ko`)
  const disk = { format, mebibytes: format === 'ext4' ? 64 : 320 }
  const machine = await bootMachine({ kernel, disk, files: await Promise.all([module('shiftfs'), module('shiftfs-broken')]) })
  await machine.must('modprobe overlay; mkdir -p /var/lib && chmod 700 /data && ln -s /data /var/lib/kubelet')
  return machine
}

type Outcomes = Readonly<Record<TrialName, Proof['outcome']>>

const ABSENT = { 'shiftfs-on-disk': 'untried', 'shiftfs-on-overlay': 'untried', procfs: 'works' } as const
const NO_MAPPING = { ...ABSENT, 'id-mapped-mount': 'fails', 'overlay-on-id-mapped': 'fails' } as const
const MAPPING = { ...ABSENT, 'id-mapped-mount': 'works', 'overlay-on-id-mapped': 'works' } as const

const cases: readonly (readonly [Series, 'ext4' | 'xfs' | 'btrfs', Outcomes])[] = [
  ['5.10', 'ext4', NO_MAPPING],
  ['6.1', 'ext4', MAPPING],
  ['6.12', 'xfs', MAPPING]
]

describe('the trials in a machine', () => {
  test.for(cases)('with kernel %s on %s', { timeout: 300_000 }, async ([kernel, format, expected], { expect }) => {
    await using machine = await boot(kernel, format)
    const before = await machine.must('cat /proc/self/mountinfo')
    const tried = async (prefix: readonly string[] = []): Promise<readonly [Outcomes, string]> => {
      const proofs = await tryAll(within(machine, prefix))
      expect(await machine.must('cat /proc/self/mountinfo; ls -A /data | grep berth || true')).toBe(before)
      const all = Object.fromEntries(TRIALS.map(name => [name, proofs[name].outcome])) as unknown as Outcomes
      return [all, TRIALS.map(name => `${name}: ${proofs[name].because}`).join('\n')]
    }

    const [outcomes, sentences] = await tried()
    process.stdout.write(`${kernel} on ${format}\n${sentences}\n`)
    expect(outcomes).toEqual(expected)
    if (kernel === '5.10') expect(sentences).toContain('the kernel has no ID-mapped mounts (mount_setattr: ENOSYS)')
    expect((await machine.run('grep shiftfs /proc/modules')).status).toBe(1)

    await machine.must('insmod /opt/shiftfs.ko')
    const [working, said] = await tried()
    process.stdout.write(`${said}\n`)
    expect(working).toEqual({ ...expected, 'shiftfs-on-disk': 'works', 'shiftfs-on-overlay': 'works' })
    if (kernel !== '6.1') return

    // perl alone gives the same answers as mount of util-linux 2.39 and newer.
    await machine.must(
      `mkdir /old; printf '#!/bin/sh\\n[ "$1" = --version ] && exit\\nexec /usr/bin/mount "$@"\\n' >/old/mount; chmod 755 /old/mount /old`
    )
    expect((await tried(['env', 'PATH=/old:/usr/sbin:/usr/bin']))[0]).toEqual(working)

    await machine.must('rmmod shiftfs; insmod /opt/shiftfs-broken.ko')
    const [broken, why] = await tried()
    expect(broken).toEqual({ ...expected, 'shiftfs-on-disk': 'fails', 'shiftfs-on-overlay': 'fails' })
    expect(why).toContain('renaming a new file: EOVERFLOW')
    // No mount of a trial holds it.
    await machine.must('rmmod shiftfs')

    const [powerless] = await tried(['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'])
    expect(powerless).toMatchObject({ 'id-mapped-mount': 'untried', 'overlay-on-id-mapped': 'untried' })
  })
})
