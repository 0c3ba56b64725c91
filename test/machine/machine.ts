import { Buffer } from 'node:buffer'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { launch, logTail, type RunningProcess } from '../support/cluster/processes.ts'
import { ownFolder } from '../support/own-folder.ts'
import { type Answer, openChannel } from './channel.ts'
import { type CpioFile, cpio } from './cpio.ts'
import { machineImage } from './image.ts'
import type { Series } from './kernels.ts'
import { qemuCommand } from './qemu.ts'

export interface MachineOptions {
  readonly kernel: Series
  /** More kernel parameters, such as `lockdown=integrity`. */
  readonly cmdline?: string
  /** Mebibytes; 1024 unless told. */
  readonly memory?: number
  /** Put on the machine's disk before anything runs; paths from its root, without the first slash. */
  readonly files?: readonly CpioFile[]
  /** A second disk, formatted and mounted on /data. */
  readonly disk?: { readonly format: 'ext4' | 'xfs' | 'btrfs'; readonly mebibytes: number }
  /** Boots through firmware that has Microsoft's keys enrolled, Debian's shim and GRUB, which takes a few seconds more. */
  readonly secureBoot?: boolean
}

export interface RunOptions {
  /** Milliseconds, 5 min unless told; what takes longer is killed with all its children and has the status 137. */
  readonly timeout?: number
}

/** A virtual machine with a kernel of its own, in which everything is done as root. */
export interface Machine extends AsyncDisposable {
  /** What `uname -r` says in it. */
  readonly release: string
  /** Of QEMU. */
  readonly pid: number
  /** A program with its arguments, or a script for sh. Never rejects for the command's own failure; several may be under way. */
  readonly run: (command: readonly string[] | string, options?: RunOptions) => Promise<Answer>
  /** Like `run`, but a status other than 0 rejects. Resolves to stdout without the last line's end. */
  readonly must: (command: readonly string[] | string, options?: RunOptions) => Promise<string>
  /** For small texts: a file of more than some hundred kB belongs in `files`. */
  readonly write: (path: string, text: string) => Promise<void>
  readonly read: (path: string) => Promise<string>
  /** What the kernel has said so far. */
  readonly console: () => Promise<string>
  /** As if its plug were pulled; also removes its folder. At the end of a block with `await using`, too. */
  readonly kill: () => Promise<void>
}

const bootLimit = 120_000 // milliseconds; a boot takes about 5 s, with Secure Boot 15

/** Boots it and resolves when commands can run, after about 5 s. It ends with this process at the latest, also when that is killed. */
export async function bootMachine(options: MachineOptions): Promise<Machine> {
  const image = await machineImage()
  const kernel = image.kernels[options.kernel]
  const folder = await ownFolder(tmpdir(), 'berth-machine-')
  try {
    const channel = await openChannel(join(folder, 'channel'))
    const initrd = join(folder, 'initrd')
    await writeFile(initrd, Buffer.concat([await readFile(kernel.initrd), cpio(await lastLayer(options))]))
    // With every program at the same addresses the emulator need not translate it anew: a program starts in a third of the time.
    const cheap = 'mitigations=off norandmaps init_on_alloc=0'
    const cmdline = `console=ttyS0 quiet loglevel=4 panic=-1 ${cheap} ${options.cmdline ?? ''}`
    const { memory = 1024, disk, secureBoot = false } = options
    const hardware = { folder, image, kernel, initrd, cmdline, memory, disk: disk?.mebibytes, secureBoot }
    const qemu = await launch(await qemuCommand(hardware), join(folder, 'qemu.log'))
    void qemu.ended.then(async () => channel.fail(new Error(`the machine has stopped\n${await lastWords(folder)}`)))
    const machine = controlled({ folder, qemu, run: channel.run, release: kernel.release })
    try {
      await Promise.race([channel.ready, overdue(folder)])
      if (disk) await machine.must(`mkfs.${disk.format} -q /dev/vdb; mkdir -p /data; mount -t ${disk.format} /dev/vdb /data`)
      return machine
    } catch (error) {
      await machine.kill()
      throw error
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Unpacked over the kernel's own part: what starts the machine, and this boot's files. */
async function lastLayer({ files = [] }: MachineOptions): Promise<readonly CpioFile[]> {
  const script = (name: string) => readFile(join(import.meta.dirname, 'guest', name))
  return [
    { path: 'init', data: await script('init.sh'), executable: true },
    { path: 'agent.sh', data: await script('agent.sh') },
    ...files.map(file => ({ ...file, path: `files/${file.path}` }))
  ]
}

async function overdue(folder: string): Promise<never> {
  await sleep(bootLimit, undefined, { ref: false })
  throw new Error(`the machine has not booted after ${bootLimit / 1000} s\n${await lastWords(folder)}`)
}

const lastWords = async (folder: string): Promise<string> =>
  `${await logTail(join(folder, 'qemu.log'))}\n${await logTail(join(folder, 'console'), 100)}`.trim()

interface Parts {
  readonly folder: string
  readonly qemu: RunningProcess
  readonly run: (script: string, limit: number) => Promise<Answer>
  readonly release: string
}

function controlled({ folder, qemu, run: send, release }: Parts): Machine {
  const run: Machine['run'] = (command, { timeout = 300_000 } = {}) => send(scriptOf(command), timeout)
  const must: Machine['must'] = async (command, options) => {
    const { status, stdout, stderr } = await run(command, options)
    if (status !== 0) throw new Error(`status ${status} in the machine of\n${scriptOf(command)}\n${stdout}${stderr}`)
    return stdout.replace(/\n$/, '')
  }
  const write = async (path: string, text: string) => {
    const encoded = Buffer.from(text).toString('base64')
    await must(`mkdir -p "$(dirname ${quoted(path)})" && base64 -d >${quoted(path)} <<'END'\n${encoded}\nEND`)
  }
  const read = async (path: string) => (await run(['cat', path])).stdout
  const kill = async () => {
    qemu.signal('SIGKILL')
    await qemu.ended
    await rm(folder, { recursive: true, force: true })
  }
  const console = () => readFile(join(folder, 'console'), 'utf8')
  return { release, pid: qemu.pid, run, must, write, read, console, kill, [Symbol.asyncDispose]: kill }
}

const scriptOf = (command: readonly string[] | string): string =>
  typeof command === 'string' ? command : command.map(quoted).join(' ')

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
