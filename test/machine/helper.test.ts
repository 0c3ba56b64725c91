import { describe, test } from 'vitest'
import type { Handover } from '../../src/helper/handover.ts'
import { machineImage } from './image.ts'
import { bootMachine, type Machine, type MachineOptions } from './machine.ts'
import { berthProgram } from './program.ts'
import { type BuildableStandIn, type StandIn, standInModule, standInSource } from './stand-in.ts'

const HELPER = 'berth helper --once --handover /run/berth/handover.json'
const PERMITTED = `${HELPER} --permit shiftfs --shiftfs-outside-ubuntu allow --shiftfs-source /opt/source`
const LONG = { timeout: 500_000 }
/** A boot takes 5 s and a build 50 s, on a machine that others load many times that. */
const PATIENT = { timeout: 900_000 }

/** A machine with the program, a source of shiftfs, and both stand-ins built in /opt. */
async function boot(options: MachineOptions, source: StandIn = 'shiftfs'): Promise<Machine> {
  const kernel = (await machineImage()).kernels[options.kernel]
  const built = (['shiftfs', 'shiftfs-broken'] as const).map(name => standInModule(name, kernel, `opt/${name}.ko`))
  const files = [...(await berthProgram()), ...(await standInSource(source, 'opt/source')), ...(await Promise.all(built))]
  const machine = await bootMachine({ ...options, files })
  // As on every node that runs containers.
  await machine.must('modprobe overlay')
  await machine.must('mount -t securityfs securityfs /sys/kernel/security 2>/dev/null; mkdir -p /var/lib/kubelet')
  return machine
}

/** As if somebody had put it there. */
const installed = (name: BuildableStandIn) => `install -D /opt/${name}.ko /lib/modules/$(uname -r)/updates/shiftfs.ko && depmod`

const handover = async (machine: Machine): Promise<Handover> =>
  JSON.parse(await machine.must('cat /run/berth/handover.json')) as Handover

const outcomeOf = (found: Handover, remedy: string) => found.outcomes.find(one => one.remedy === remedy)

/** What a helper that did nothing leaves: nothing. */
const LEFT = [
  'grep -c ^shiftfs /proc/modules',
  'ls -A /tmp/berth-scratch 2>/dev/null',
  'ls -A /etc/modules-load.d | grep berth',
  'ls -d /lib/modules/*/updates/berth 2>/dev/null',
  'grep -c berth-trial /proc/self/mountinfo',
  'find /var/lib -name ".berth-trial*"'
].join('; ')
const NOTHING = ['0', '0']

const left = async (machine: Machine): Promise<readonly string[]> => (await machine.run(LEFT)).stdout.split('\n').filter(Boolean)

/** A mount of shiftfs, as a workspace has it. */
const IN_USE = 'mkdir -p /mnt/shifted && mount -t shiftfs -o mark /opt /mnt/shifted'

/** Says that it is another gcc than the one that built the kernel, and compiles all the same. */
const OTHER_GCC = '#!/bin/sh\n[ "$1" = -dumpversion ] && exec echo 99\nexec /usr/bin/gcc "$@"\n'

describe.concurrent('a stand-in for shiftfs', () => {
  test('is built with the headers, loaded, proved, kept for the next boot, and taken back', PATIENT, async ({ expect }) => {
    await using machine = await boot({ kernel: '6.1' })
    expect(await machine.must(`${PERMITTED} --dry-run`)).toMatch(/shiftfs +apply: build shiftfs with the kernel headers/)
    await machine.write('/usr/local/bin/gcc', OTHER_GCC)
    await machine.must('chmod 755 /usr/local/bin/gcc')
    const { status, stdout, stderr } = await machine.run(`${PERMITTED} --persist`, LONG)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/shiftfs: applied: built shiftfs for .*; the kernel's taint went from 0 to 12288.* \(persistent\)/)
    expect(stdout).toMatch(/the kernel was built with gcc \d+, but the module with gcc 99/)
    const found = await handover(machine)
    expect(outcomeOf(found, 'shiftfs')).toMatchObject({ result: 'applied' })
    expect(found.proofs['shiftfs-on-disk'].outcome).toBe('works')
    expect(await machine.must('grep -c ^shiftfs /proc/modules; modprobe -n shiftfs && echo found')).toBe('1\nfound')
    expect(await machine.must('cat /etc/modules-load.d/berth-shiftfs.conf')).toMatch(/^shiftfs$/m)
    expect(await machine.must('berth report --shiftfs-outside-ubuntu allow --format json')).toContain(
      '"berth.dev/shiftfs":"loaded"'
    )
    // What is there is not needed again, and is not touched.
    expect((await machine.run(PERMITTED, LONG)).stdout).toContain('shiftfs: not-needed')
    expect(await machine.must('berth helper --undo')).toContain('unloaded shiftfs')
    expect(await left(machine)).toEqual(NOTHING)
    expect((await machine.run('modprobe -n shiftfs')).status).not.toBe(0)
  })

  test(
    'that lies in /lib/modules is loaded, and left alone when it was there before us or does not work',
    PATIENT,
    async ({ expect }) => {
      await using machine = await boot({ kernel: '6.1' })
      await machine.must(installed('shiftfs'))
      const powerless = `setpriv --bounding-set=-sys_module ${PERMITTED}`
      expect((await machine.run(powerless, LONG)).stdout).toMatch(
        /shiftfs: failed: loading shiftfs failed: modprobe ended with status 1: .*not permitted/
      )
      expect(await left(machine)).toEqual(NOTHING)
      // Nobody but somebody else loaded it: the load failed, and nothing of it is ours.
      await machine.must('modprobe shiftfs')
      expect(await machine.must('berth helper --undo')).toContain('nothing to undo: berth did not load shiftfs on this node')
      expect(await machine.must('grep -c ^shiftfs /proc/modules')).toBe('1')

      await machine.must('rmmod shiftfs')
      expect((await machine.run(PERMITTED, LONG)).stdout).toMatch(/shiftfs: applied: loaded the module .*tried, and works/)
      await machine.must(IN_USE)
      const first = await machine.run('berth helper --undo')
      expect({ status: first.status, stdout: first.stdout }).toEqual({
        status: 1,
        stdout: expect.stringMatching(/shiftfs: shiftfs stays loaded: .*in use.*; run --undo again when no workspace uses it/)
      })
      await machine.must('umount /mnt/shifted')
      expect(await machine.must('berth helper --undo')).toContain('unloaded shiftfs')

      await machine.must(`rmmod shiftfs; ${installed('shiftfs-broken')}`)
      const { status, stdout } = await machine.run(PERMITTED, LONG)
      expect(stdout).toMatch(/shiftfs: failed: loaded .*it does not work: .*EOVERFLOW.*it was unloaded again/)
      expect(status).toBe(1)
      expect((await machine.run('grep ^shiftfs /proc/modules')).status).toBe(1)
      expect((await machine.run(PERMITTED, LONG)).stdout).toMatch(/shiftfs: blocked: shiftfs does not work on this kernel/)
      expect((await handover(machine)).proofs['shiftfs-on-disk'].outcome).toBe('fails')
    }
  )

  test(
    'that cannot be built leaves nothing: a full disk, a kill in the middle of make, a wrong source',
    PATIENT,
    async ({ expect }) => {
      await using machine = await boot({ kernel: '6.1' }, 'shiftfs-uncompilable')
      const small = 'mkdir -p /tmp/berth-scratch && mount -t tmpfs -o size=4k,mode=700 tmpfs /tmp/berth-scratch'
      await machine.must(small)
      const full = await machine.run(PERMITTED, LONG)
      expect(full.stdout).toMatch(/shiftfs: blocked: the scratch directory .* has 4 KiB free; expected 16 MiB/)
      expect(full.status).toBe(0)
      await machine.must('umount /tmp/berth-scratch')
      expect(await left(machine)).toEqual(NOTHING)

      await machine.must(`(${PERMITTED} >/dev/null 2>&1 &) ; until pgrep -x make; do sleep 0.2; done`, LONG)
      // Nobody but the kernel ends make and gcc with it.
      await machine.must('pkill -KILL -f "[h]elper --once"; sleep 2; ! pgrep -x "make|gcc|cc1"', LONG)
      expect(await machine.must('ls -A /tmp/berth-scratch')).toMatch(/^berth-build-/)

      const { status, stdout } = await machine.run(PERMITTED, LONG)
      expect(stdout).toContain('shiftfs: failed: building shiftfs failed: make ended with status 2')
      expect(status).toBe(1)
      expect(outcomeOf(await handover(machine), 'shiftfs')?.tail).toContain('error:')
      expect(await left(machine)).toEqual(NOTHING)
    }
  )

  const BLOCKED: readonly (readonly [string, MachineOptions, readonly RegExp[]])[] = [
    [
      'the command line of the kernel',
      { kernel: '6.1', cmdline: 'lockdown=integrity module.sig_enforce=1 module_blacklist=shiftfs' },
      [/kernel lockdown is "integrity"/, /only signed modules/, /blacklist/]
    ],
    ['Secure Boot', { kernel: '6.1', secureBoot: true }, [/Secure Boot is on/]]
  ]
  test.for(BLOCKED)('is blocked by %s, before anything is built', PATIENT, async ([, options, says], { expect }) => {
    await using machine = await boot(options)
    if (options.secureBoot) await machine.must('mount -t efivarfs efivarfs /sys/firmware/efi/efivars')
    // The kernel means it.
    expect((await machine.run('insmod /opt/shiftfs.ko')).stderr).toContain('Key was rejected by service')
    const { status, stdout } = await machine.run(PERMITTED, LONG)
    expect(stdout).toMatch(/^shiftfs: blocked: /m)
    for (const why of says) expect(stdout).toMatch(why)
    expect(status).toBe(0)
    expect(await left(machine)).toEqual(NOTHING)
    expect(await machine.must('cat /proc/sys/kernel/tainted')).toBe('0')
  })

  test(
    'is forbidden or blocked by what the node lacks, and the limit of user namespaces is raised and put back',
    PATIENT,
    async ({ expect }) => {
      await using machine = await boot({ kernel: '6.1' })
      const permit = '--permit shiftfs --shiftfs-source /opt/source'
      expect(await machine.must(`${HELPER} ${permit}`, LONG)).toMatch(/shiftfs: forbidden: .*--shiftfs-outside-ubuntu/)
      const open = `${HELPER} --dry-run --permit shiftfs --shiftfs-outside-ubuntu allow`
      const plan = async (more: string) => (await machine.must(`${open} ${more}`, LONG)).replaceAll(/\n +/g, ' ')
      expect(await plan('')).toMatch(/shiftfs +blocked: no source was given; .*--shiftfs-source DIR/)
      expect(await plan('--shiftfs-source /opt')).toMatch(/shiftfs +blocked: --shiftfs-source has no folder k6\.1/)
      expect(await machine.must(`${HELPER} --shiftfs-outside-ubuntu allow`, LONG)).toMatch(
        /shiftfs: forbidden: .*--permit shiftfs/
      )
      const symvers = '/usr/src/linux-headers-*-amd64/Module.symvers'
      for (const [change, why] of [
        [`rm ${symvers}`, /no Module\.symvers/],
        ['rm -r /usr/src/*', /the kernel headers of .* are not installed/],
        ['echo 1 >/proc/sys/kernel/modules_disabled', /module loading is disabled/]
      ] as const) {
        await machine.must(change)
        const { status, stdout } = await machine.run(PERMITTED, LONG)
        expect(stdout).toMatch(/^shiftfs: blocked: /m)
        expect(stdout).toMatch(why)
        expect(status).toBe(0)
      }
      expect(await left(machine)).toEqual(NOTHING)

      await machine.must('echo 0 >/proc/sys/user/max_user_namespaces')
      expect((await machine.run('unshare -U true')).status).not.toBe(0)
      expect(await machine.must(`${HELPER} --permit user-namespaces`)).toMatch(
        /user-namespaces: forbidden: .*user-namespaces-anywhere/
      )
      const raised = await machine.must(`${HELPER} --permit user-namespaces-anywhere`)
      expect(raised).toMatch(/user-namespaces: applied: .*65536.*\(persistent: no\)/)
      expect(await machine.must('cat /proc/sys/user/max_user_namespaces; unshare -U true && echo works')).toBe('65536\nworks')
      await machine.must('berth helper --undo')
      expect(await machine.must('cat /proc/sys/user/max_user_namespaces')).toBe('0')
    }
  )
})
