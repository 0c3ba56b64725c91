import { copyFile, mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Image, KernelFiles } from './image.ts'

export interface Hardware {
  /** A folder of its own, in which the socket `channel` is already listened on. */
  readonly folder: string
  readonly image: Image
  readonly kernel: KernelFiles
  readonly initrd: string
  readonly cmdline: string
  /** Mebibytes. */
  readonly memory: number
  /** Mebibytes of an empty second disk, /dev/vdb. */
  readonly disk: number | undefined
  readonly secureBoot: boolean
}

/** Everything that can be emulated but for the widest vector instructions, with which the C library would be the slower. */
const CPU = 'max,-avx,-avx2'
const firmware = '/usr/share/OVMF' // of Debian's package ovmf; `.ms` has Microsoft's keys enrolled, which sign Debian's shim

/** The command line of QEMU. The disk is read only for it: what the machine writes is in an unlinked file, gone with the process. */
export async function qemuCommand(hardware: Hardware): Promise<readonly [string, ...string[]]> {
  const { folder, image, memory, disk } = hardware
  const drives = [drive(image.rootDisk, 'snapshot=on')]
  if (disk !== undefined) {
    const path = join(folder, 'disk')
    await writeFile(path, '')
    await truncate(path, disk * 2 ** 20)
    drives.push(drive(path, 'cache=unsafe'))
  }
  return [
    'qemu-system-x86_64',
    ...['-accel', 'tcg', '-cpu', CPU, '-m', `${memory}`, '-smp', '1'],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-serial', `file:${join(folder, 'console')}`],
    ...drives.flat(),
    ...['-chardev', `socket,id=channel,path=${join(folder, 'channel')}`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=channel,name=test-agent'],
    ...(hardware.secureBoot ? await secureBoot(hardware) : directBoot(hardware))
  ]
}

const drive = (path: string, option: string): readonly string[] => ['-drive', `file=${path},format=raw,if=virtio,${option}`]

const directBoot = ({ kernel, initrd, cmdline }: Hardware): readonly string[] => [
  ...['-machine', 'pc,usb=off,vmport=off', '-kernel', kernel.vmlinuz, '-initrd', initrd, '-append', cmdline]
]

/** Firmware, shim, GRUB and kernel, each checking the signature of the next; QEMU's own `-kernel` would pass them by. */
async function secureBoot({ folder, image, kernel, initrd, cmdline }: Hardware): Promise<readonly string[]> {
  const esp = join(folder, 'esp')
  await Promise.all(['EFI/BOOT', 'EFI/debian'].map(name => mkdir(join(esp, name), { recursive: true })))
  await copyFile(image.shim, join(esp, 'EFI/BOOT/BOOTX64.EFI'))
  await copyFile(image.grub, join(esp, 'EFI/BOOT/grubx64.efi'))
  await copyFile(kernel.vmlinuz, join(esp, 'vmlinuz'))
  await copyFile(initrd, join(esp, 'initrd'))
  await writeFile(join(esp, 'EFI/debian/grub.cfg'), `linux /vmlinuz ${cmdline}\ninitrd /initrd\nboot\n`)
  const variables = join(folder, 'variables')
  await copyFile(`${firmware}/OVMF_VARS_4M.ms.fd`, variables)
  return [
    ...['-machine', 'q35,smm=on', '-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${firmware}/OVMF_CODE_4M.ms.fd`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${variables}`],
    ...['-drive', `if=none,id=esp,format=raw,snapshot=on,file=fat:${esp}`],
    ...['-device', 'ahci,id=sata', '-device', 'ide-hd,drive=esp,bus=sata.0,bootindex=0']
  ]
}
