import { test } from 'vitest'
import { machineImage } from './image.ts'
import { bootMachine, type Machine, type MachineOptions } from './machine.ts'
import { type BuildableStandIn, standInModule } from './stand-in.ts'
import { runInUserNamespace } from './user-namespace.ts'

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

test('the stand-in works as shiftfs would, the broken one but for rename', async ({ expect }) => {
  const kernel = '6.1'
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
})
