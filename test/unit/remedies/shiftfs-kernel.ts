import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { localWriter } from '../../../src/host/local-writer.ts'
import type { Ended, HostWriter } from '../../../src/host/writer.ts'

export interface ModuleNode {
  readonly root: string
  readonly host: HostWriter
  readonly isLoaded: () => boolean
  /** Every program that was run, with its arguments. */
  readonly ran: readonly string[]
  /** Another boot: nothing is loaded but what /etc/modules-load.d names. */
  readonly reboot: (boot: string) => void
}

const BOOT = 'proc/sys/kernel/random/boot_id'
const LOAD = 'etc/modules-load.d/berth-shiftfs.conf'

/** A root with the files that loading a module changes, where `modprobe`, `insmod`, `rmmod` and `depmod` do no more than that. */
export function moduleNode(boot: string): ModuleNode {
  const root = mkdtempSync(join(tmpdir(), 'berth-modules-'))
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const loaded = (is: boolean): void =>
    put('proc/modules', is ? 'ext4 1 0 - Live 0x0\nshiftfs 1 0 - Live 0x0\n' : 'ext4 1 0 - Live 0x0\n')
  const isLoaded = () => readFileSync(join(root, 'proc/modules'), 'utf8').includes('shiftfs')
  put(BOOT, `${boot}\n`)
  put('proc/sys/kernel/tainted', '0\n')
  loaded(false)
  const ran: string[] = []
  const run = ([program, ...args]: readonly string[]): Ended => {
    ran.push([program, ...args].join(' ').replaceAll(root, ''))
    if (program === 'modprobe' || program === 'insmod') loaded(true)
    if (program === 'rmmod') loaded(false)
    return { status: 0, stdout: '', stderr: '' }
  }
  const host: HostWriter = { ...localWriter(root), exec: argv => Promise.resolve(run(argv)) }
  const reboot = (next: string): void => {
    put(BOOT, `${next}\n`)
    loaded(false)
    try {
      loaded(readFileSync(join(root, LOAD), 'utf8').includes('shiftfs'))
    } catch {
      // Nothing asks for it.
    }
  }
  return { root, host, isLoaded, ran, reboot }
}
