import { describe, test } from 'vitest'
import { machineImage } from './image.ts'
import { type Series, SUITES } from './kernels.ts'
import { bootMachine, type Machine, type MachineOptions } from './machine.ts'
import { berthProgram } from './program.ts'
import { type BuildableStandIn, standInModule } from './stand-in.ts'
import { runInUserNamespace } from './user-namespace.ts'

const series = Object.keys(SUITES) as Series[]

/** A machine with both stand-ins, built, in /opt. */
async function bootWithModules(options: MachineOptions): Promise<Machine> {
  const kernel = (await machineImage()).kernels[options.kernel]
  const module = (name: BuildableStandIn) => standInModule(name, kernel, `opt/${name}.ko`)
  const files = await Promise.all([module('shiftfs'), module('shiftfs-broken')])
  return bootMachine({ ...options, files: [...files, ...(options.files ?? [])] })
}

const marked = `
  mkdir -p /data/lower/old-folder /mnt/marked /mnt/shifted
  echo old >/data/lower/old-file
  mount -t shiftfs -o mark /data/lower /mnt/marked`

const work = `
  mount -t shiftfs /mnt/marked /mnt/shifted && cd /mnt/shifted || exit 1
  stat -c '%n %u:%g' old-file
  mkdir folder && echo new >folder/file && cat folder/file && stat -c '%n %u:%g' folder/file
  mv folder/file old-folder/moved && mv old-folder folder/inner && ls -R
  chmod 600 old-file && chown 5:6 old-file && stat -c '%a %u:%g' old-file
  rm -r folder && ls
  touch /data/lower/forbidden`

const broken = `
  mount -t shiftfs /mnt/marked /mnt/shifted && cd /mnt/shifted || exit 1
  mkdir a && touch a/b && rm a/b && mv a c`

describe.concurrent('a machine with each kernel', () => {
  test.for(series)(
    '%s boots, and the stand-in works in it as shiftfs would, the broken one but for rename',
    async (kernel, { expect }) => {
      await using machine = await bootWithModules({ kernel, disk: { format: 'ext4', mebibytes: 64 } })
      expect(await machine.must('uname -r')).toBe(machine.release)
      expect(machine.release.startsWith(`${kernel}.`)).toBe(true)
      expect(await machine.must('cat /proc/sys/kernel/tainted')).toBe('0')
      const powerless = await machine.run('setpriv --bounding-set=-sys_module insmod /opt/shiftfs.ko')
      expect(powerless.stderr).toContain('Operation not permitted')
      await machine.must(`insmod /opt/shiftfs.ko; ${marked}`)
      expect(await machine.must("grep -o 'shiftfs .*' /proc/self/mountinfo")).toBe('shiftfs /data/lower rw,mark')
      const { stdout, stderr } = await runInUserNamespace(machine, work)
      expect(stderr).toMatch(/^touch: .*Permission denied\n$/)
      expect(stdout.split('\n')).toEqual(
        [
          'old-file 0:0',
          'new',
          'folder/file 0:0',
          '.:',
          'folder',
          'old-file',
          '',
          './folder:',
          'inner',
          '',
          './folder/inner:'
        ].concat(['moved', '600 5:6', 'old-file', ''])
      )
      expect(await machine.must("cd /data/lower; stat -c '%n %u:%g' *")).toBe('old-file 5:6')
      await machine.must('umount /mnt/marked; rmmod shiftfs')
      expect((await machine.run('grep shiftfs /proc/modules /proc/filesystems')).status).toBe(1)
      await machine.must(`insmod /opt/shiftfs-broken.ko; ${marked}`)
      expect((await runInUserNamespace(machine, broken)).stderr).toMatch(/^mv: .*: Value too large for defined data type\n$/)
    }
  )

  test('runs the real program', async ({ expect }) => {
    await using machine = await bootMachine({ kernel: '6.12', files: [...(await berthProgram())] })
    expect(await machine.must('berth report')).toContain(machine.release)
  })
})

const refusals: readonly (readonly [string, MachineOptions, string])[] = [
  ['lockdown=integrity', { kernel: '6.1', cmdline: 'lockdown=integrity' }, 'Operation not permitted'],
  ['module.sig_enforce=1', { kernel: '6.12', cmdline: 'module.sig_enforce=1' }, 'Key was rejected by service'],
  ['Secure Boot', { kernel: '6.1', secureBoot: true }, 'Key was rejected by service']
]

describe.concurrent('a machine that refuses modules', () => {
  test.for(refusals)('%s', async ([, options, reason], { expect }) => {
    await using machine = await bootWithModules(options)
    const { status, stderr } = await machine.run('insmod /opt/shiftfs.ko')
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(reason) })
    expect(await machine.must('cat /proc/sys/kernel/tainted')).toBe('0')
    expect((await machine.run('grep shiftfs /proc/modules')).status).toBe(1)
  })
})
