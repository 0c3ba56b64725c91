import { describe, test } from 'vitest'
import type { Handover } from '../../src/cycle/handover.ts'
import { machineImage } from './image.ts'
import { bootMachine, type Machine, type MachineOptions } from './machine.ts'
import { berthProgram } from './program.ts'
import { type BuildableStandIn, type StandIn, standInModule, standInSource } from './stand-in.ts'

const HELPER = 'berth helper --once --handover /run/berth/handover.json'
const PERMITTED = `${HELPER} --permit shiftfs --shiftfs-outside-ubuntu allow --shiftfs-source /opt/source`
const LONG = { timeout: 500_000 }
/** A boot takes 5 s and a build 50 s, on a machine that others load many times that. */
const PATIENT = { timeout: 900_000 }

/** A machine with the program, and with stand-ins as sources or built, as if somebody had put them there. */
async function boot(options: MachineOptions, source?: StandIn, built?: BuildableStandIn): Promise<Machine> {
  const kernel = (await machineImage()).kernels[options.kernel]
  const files = [
    ...(await berthProgram()),
    ...(source === undefined ? [] : await standInSource(source, 'opt/source')),
    ...(built === undefined ? [] : [await standInModule(built, kernel, 'opt/shiftfs.ko')])
  ]
  const machine = await bootMachine({ ...options, files: [...files, ...(options.files ?? [])] })
  await machine.must('mount -t securityfs securityfs /sys/kernel/security 2>/dev/null; mkdir -p /var/lib/kubelet')
  if (built !== undefined) await machine.must('install -D /opt/shiftfs.ko /lib/modules/$(uname -r)/updates/shiftfs.ko && depmod')
  return machine
}

const handover = async (machine: Machine): Promise<Handover> =>
  JSON.parse(await machine.must('cat /run/berth/handover.json')) as Handover

const outcomeOf = (found: Handover, remedy: string) => found.outcomes.find(one => one.remedy === remedy)

/** What a helper that did nothing leaves: nothing. */
const LEFT = [
  'grep -c ^shiftfs /proc/modules',
  'ls -A /tmp/berth-scratch 2>/dev/null',
  'ls -A /etc/modules-load.d | grep berth',
  'ls /lib/modules/*/updates/berth 2>/dev/null',
  'grep -c berth-trial /proc/self/mountinfo',
  'find /var/lib -name ".berth-trial*"'
].join('; ')
const NOTHING = ['0', '0']

describe.concurrent('shiftfs', () => {
  test('is built with the headers, loaded, proved, kept for the next boot, and taken back', PATIENT, async ({ expect }) => {
    await using machine = await boot({ kernel: '6.1' }, 'shiftfs')
    expect(await machine.must(`${PERMITTED} --dry-run`)).toMatch(/shiftfs +apply: build shiftfs with the kernel headers/)
    const { status, stdout, stderr } = await machine.run(`${PERMITTED} --persist`, LONG)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/shiftfs: applied: built shiftfs for .*; the kernel's taint went from 0 to 12288.* \(persistent\)/)
    const found = await handover(machine)
    expect(outcomeOf(found, 'shiftfs')).toMatchObject({ result: 'applied' })
    expect(found.proofs['shiftfs-on-disk'].outcome).toBe('works')
    expect(
      await machine.must('grep -c ^shiftfs /proc/modules; modprobe -n -v shiftfs; cat /etc/modules-load.d/berth-shiftfs.conf')
    ).toContain('1')
    expect(await machine.must('berth report --shiftfs-outside-ubuntu allow --format json')).toContain(
      '"berth.dev/shiftfs":"loaded"'
    )
    // What is there is not needed again, and is not touched.
    expect((await machine.run(PERMITTED, LONG)).stdout).toContain('shiftfs: not-needed')
    expect(await machine.must('berth helper --undo')).toContain('unloaded shiftfs')
    expect((await machine.run(LEFT)).stdout.split('\n').filter(Boolean)).toEqual(NOTHING)
    expect((await machine.run('modprobe -n shiftfs')).status).not.toBe(0)
  })

  test('that lies in /lib/modules is loaded; one that was there before us stays', PATIENT, async ({ expect }) => {
    await using machine = await boot({ kernel: '6.1' }, undefined, 'shiftfs')
    expect((await machine.run(PERMITTED, LONG)).stdout).toContain('shiftfs: applied: loaded the module shiftfs')
    await machine.must('rm -r /var/lib/berth')
    expect(await machine.must('berth helper --undo')).toContain('we loaded no shiftfs here')
    expect(await machine.must('grep -c ^shiftfs /proc/modules')).toBe('1')
  })

  test('that fails its trial is unloaded again, called broken, and left alone', PATIENT, async ({ expect }) => {
    await using machine = await boot({ kernel: '6.1' }, undefined, 'shiftfs-broken')
    const { status, stdout } = await machine.run(PERMITTED, LONG)
    expect(status).toBe(1)
    expect(stdout).toMatch(/shiftfs: failed: loaded .*it does not work: .*EOVERFLOW.*it was unloaded again/)
    expect((await machine.run('grep ^shiftfs /proc/modules')).status).toBe(1)
    expect((await machine.run(PERMITTED, LONG)).stdout).toMatch(/shiftfs: blocked: shiftfs does not work on this kernel/)
    expect((await handover(machine)).proofs['shiftfs-on-disk'].outcome).toBe('fails')
  })

  test('that does not compile fails with the last lines of make, and leaves nothing', PATIENT, async ({ expect }) => {
    await using machine = await boot({ kernel: '6.1' }, 'shiftfs-uncompilable')
    const { status, stdout } = await machine.run(PERMITTED, LONG)
    expect(status).toBe(1)
    expect(stdout).toContain('shiftfs: failed: building shiftfs failed: make ended with status 2')
    expect(outcomeOf(await handover(machine), 'shiftfs')?.tail).toContain('error:')
    expect((await machine.run(LEFT)).stdout.split('\n').filter(Boolean)).toEqual(NOTHING)
  })

  const BLOCKED: readonly (readonly [string, MachineOptions, string, RegExp])[] = [
    ['lockdown=integrity', { kernel: '6.1', cmdline: 'lockdown=integrity' }, '', /kernel lockdown is "integrity"/],
    ['module.sig_enforce=1', { kernel: '6.1', cmdline: 'module.sig_enforce=1' }, '', /signed modules only/],
    ['modules_disabled', { kernel: '6.1' }, 'echo 1 >/proc/sys/kernel/modules_disabled', /module loading is switched off/],
    ['a blacklist', { kernel: '6.1', cmdline: 'module_blacklist=shiftfs' }, '', /shiftfs/],
    ['no headers', { kernel: '6.1' }, 'rm -r /usr/src/*', /the kernel headers of .* are not installed/],
    ['half headers', { kernel: '6.1' }, 'rm /usr/src/linux-headers-*-amd64/Module.symvers', /no Module\.symvers/],
    ['Secure Boot', { kernel: '6.1', secureBoot: true }, '', /Secure Boot is on/],
    ['kernel 6.12, which has no source', { kernel: '6.12' }, '', /no source of shiftfs is made for kernel 6\.12/]
  ]
  test.for(BLOCKED)('is blocked by %s, before anything is built', PATIENT, async ([, options, change, says], { expect }) => {
    await using machine = await boot(options, 'shiftfs')
    if (options.secureBoot) await machine.must('mount -t efivarfs efivarfs /sys/firmware/efi/efivars')
    if (change !== '') await machine.must(change)
    const { status, stdout } = await machine.run(PERMITTED, LONG)
    expect(status).toBe(0)
    expect(stdout).toMatch(/^shiftfs: blocked: /m)
    expect(stdout).toMatch(says)
    expect((await machine.run(LEFT)).stdout.split('\n').filter(Boolean)).toEqual(NOTHING)
    expect(await machine.must('cat /proc/sys/kernel/tainted')).toBe('0')
  })

  test('without the permit, or without the word about other kernels than Ubuntu, is forbidden', PATIENT, async ({ expect }) => {
    await using machine = await boot({ kernel: '6.1' }, 'shiftfs')
    const permit = '--permit shiftfs --shiftfs-source /opt/source'
    expect(await machine.must(`${HELPER} ${permit}`, LONG)).toMatch(/shiftfs: forbidden: .*--shiftfs-outside-ubuntu/)
    expect(await machine.must(`${HELPER} --shiftfs-outside-ubuntu allow`, LONG)).toMatch(/shiftfs: forbidden: .*--permit shiftfs/)
    const powerless = `setpriv --bounding-set=-sys_module ${PERMITTED}`
    expect((await machine.run(powerless, LONG)).stdout).toMatch(/shiftfs: failed: insmod ended with status 1: .*not permitted/)
    expect((await machine.run(LEFT)).stdout.split('\n').filter(Boolean)).toEqual(NOTHING)
  })
})

test('the limit of user namespaces is raised from 0, a session then works, and it is put back', PATIENT, async ({ expect }) => {
  await using machine = await boot({ kernel: '6.1' })
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
})
