import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { localWriter } from '../../../src/host/local-writer.ts'
import type { HostWriter } from '../../../src/host/writer.ts'
import type { ShiftfsTerms } from '../../../src/remedies/shiftfs/apply.ts'
import { temporary } from '../host/temporary.ts'
import { factsOf, proofs } from '../node-facts.ts'

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
const MODULES = 'proc/modules'

function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, `${path}.new`), text)
  renameSync(join(root, `${path}.new`), join(root, path))
}

const setLoaded = (root: string, is: boolean): void =>
  put(root, MODULES, `ext4 1 0 - Live 0x0\n${is ? 'shiftfs 1 0 - Live 0x0\n' : ''}`)

export const isLoaded = (root: string): boolean => readFileSync(join(root, MODULES), 'utf8').includes('shiftfs')

interface ModuleTools {
  readonly ran?: string[]
  readonly delay?: () => number
  /** A program that fails, and whether the module is loaded afterwards. */
  readonly failing?: Readonly<Record<string, { readonly status: number; readonly stderr: string; readonly loaded: boolean }>>
}

/** `modprobe`, `insmod`, `rmmod` and `depmod` do no more than to change the list of modules; each takes `delay()` milliseconds. */
export function moduleHost(root: string, { ran = [], delay = () => 0, failing = {} }: ModuleTools = {}): HostWriter {
  const exec: HostWriter['exec'] = async ([program, ...args]) => {
    ran.push([program, ...args].join(' ').replaceAll(root, ''))
    await wait(delay())
    const failure = failing[program]
    if (failure !== undefined) {
      setLoaded(root, failure.loaded)
      return { ...failure, stdout: '' }
    }
    if (program === 'modprobe' || program === 'insmod') setLoaded(root, true)
    if (program === 'rmmod') setLoaded(root, false)
    await wait(delay())
    return { status: 0, stdout: '', stderr: '' }
  }
  return { ...localWriter(root), exec }
}

/** A root with the files that loading a module changes. */
export function moduleNode(boot: string): ModuleNode {
  const root = temporary()
  const begin = (id: string): void => {
    put(root, BOOT, `${id}\n`)
    setLoaded(root, existsSync(join(root, LOAD)))
  }
  put(root, 'proc/sys/kernel/tainted', '0\n')
  begin(boot)
  const ran: string[] = []
  return { root, host: moduleHost(root, { ran }), isLoaded: () => isLoaded(root), ran, reboot: begin }
}

/** A node where shiftfs lies in /lib/modules. */
export const loadableUnder = (boot: string) =>
  factsOf({ 'boot-id': boot, shiftfs: { state: 'loadable', because: 'it lies there', outOfTree: true, suspect: false } })

/** Where the module works as soon as it is loaded. */
export const shiftfsTerms = (scratch: string): ShiftfsTerms => ({
  source: '',
  scratch,
  persist: true,
  now: () => new Date(),
  prove: () => Promise.resolve(proofs({ 'shiftfs-on-disk': 'works', 'shiftfs-on-overlay': 'works' }))
})

/** A folder with a module that was built. */
export function builtModule(): { readonly scratch: string; readonly file: string } {
  const scratch = temporary({ 'shiftfs.ko': 'a module'.repeat(10_000) })
  return { scratch, file: join(scratch, 'shiftfs.ko') }
}
