import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import process from 'node:process'
import { type Calls, callsFor, type OpenFile } from './calls.ts'
import { ANSWER_TIMEOUT, createDeadline } from './deadline.ts'
import { deviceNumber } from './device-number.ts'
import {
  ERRNO_TEXTS,
  type FileKind,
  type FileStat,
  type FsSpace,
  HostError,
  type HostReader,
  type Inventory,
  matchingLines,
  SIZE_CAP
} from './host.ts'
import { missing, resolveInside } from './resolve.ts'
import { viewOf } from './view.ts'

/** The limits of a child process: output (bytes) and time (milliseconds). It gets no input and no environment. */
const CHILD = {
  maxBuffer: 64 * 1024,
  timeout: 2_000,
  killSignal: 'SIGKILL',
  stdin: 'ignore',
  stderr: 'ignore',
  env: {},
  extendEnv: false,
  reject: false
} as const

const BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** Reads the real node, mounted at `root`; every read stays below it. */
export function localHost(root: string, calls = callsFor): HostReader {
  const base = root === '/' ? '' : root.replace(/\/+$/, '')

  const view = viewOf(base)

  // At / the kernel resolves paths correctly itself.
  const resolve = async (path: string) => (base === '' ? path : resolveInside(base, path, view))
  const named = <T>(path: string, read: (real: string, calls: Calls) => T | Promise<T>): Promise<T | undefined> =>
    guarded(
      path,
      resolve(path).then(real => (real === undefined ? undefined : read(real, calls(real))))
    )
  const at = <T>(path: string, read: (place: string, calls: Calls) => T | Promise<T>): Promise<T | undefined> =>
    named(path, (real, calls) => read(view.place(real), calls))
  const read = (path: string) => at(path, (real, calls) => readText(path, real, calls))

  return {
    read,
    lines: async (path, pattern) => {
      const text = await read(path)
      return text === undefined ? undefined : matchingLines(path, text, pattern)
    },
    list: path => at(path, async (real, { readdir }) => (await readdir(real)).sort()),
    stat: path => at(path, async (real, calls) => describe(await calls.stat(real))),
    realpath: path => named(path, (real, { realpath }) => (base === '' ? realpath(real) : real)),
    statfs: path => at(path, space),
    run: argv => (base === '' ? runProgram(argv) : Promise.resolve(undefined)),
    arch: () => Promise.resolve(process.arch === 'x64' ? 'amd64' : process.arch),
    inventory: async () => ((await sameMachine(read)) ? await inTime('the inventory', takeInventory()) : undefined)
  }
}

const space = async (real: string, { statfs }: Calls): Promise<FsSpace> => {
  const { bavail, blocks, bsize } = await statfs(real)
  return { free: bavail * bsize, total: blocks * bsize }
}

async function guarded<T>(path: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await inTime(path, work)
  } catch (error) {
    if (error instanceof HostError) throw error
    const errno = error as NodeJS.ErrnoException
    // The file was removed between resolving its name and reading it, so it does not exist.
    if (errno.code === 'ENOENT' || errno.code === 'ENOTDIR') return undefined
    throw failure(path, errno)
  }
}

/** Throws `HostError` when the work takes longer than `ANSWER_TIMEOUT`. The work itself is not stopped. */
async function inTime<T>(path: string, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const expired = () => reject(failure(path, { code: 'ETIMEDOUT' }))
  const deadline = createDeadline({ limit: () => ANSWER_TIMEOUT, expired })
  deadline.start()
  try {
    return await Promise.race([work, late])
  } finally {
    deadline.clear()
  }
}

const failure = (path: string, cause: { readonly code?: string | undefined }): HostError => {
  const code = cause.code ?? 'EIO'
  return new HostError(path, code, { says: ERRNO_TEXTS[code] ?? code, cause })
}

async function readText(path: string, real: string, calls: Calls): Promise<string> {
  // stat before open: opening a device can have effects, and opening a FIFO can block for ever.
  refuseUnlessFile(path, await calls.stat(real))
  const file = await calls.open(real)
  try {
    refuseUnlessFile(path, await file.stat())
    return (await readAll(path, file)).toString('utf8')
  } finally {
    await file.close()
  }
}

function refuseUnlessFile(path: string, stats: Stats): void {
  if (stats.isFile()) return
  if (stats.isDirectory()) throw failure(path, { code: 'EISDIR' })
  throw new HostError(path, 'EINVAL', { says: `it is a ${describe(stats).kind}, not a file` })
}

/** Reads to the end or to the cap: the sizes of files in /proc and /sys are wrong (0 or 4096). */
async function readAll(path: string, file: OpenFile): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = await file.next()
    if (chunk.length === 0) return Buffer.concat(chunks)
    total += chunk.length
    if (total > SIZE_CAP) throw failure(path, { code: 'EFBIG' })
    chunks.push(chunk)
  }
}

const KINDS: readonly (readonly [FileKind, keyof Stats])[] = [
  ['directory', 'isDirectory'],
  ['link', 'isSymbolicLink'],
  ['character', 'isCharacterDevice'],
  ['block', 'isBlockDevice'],
  ['fifo', 'isFIFO'],
  ['socket', 'isSocket']
]

const describe = (stats: Stats): FileStat => ({
  kind: KINDS.find(([, is]) => (stats[is] as () => boolean).call(stats))?.[0] ?? 'file',
  mode: stats.mode & 0o7777,
  // glibc's gnu_dev_major and gnu_dev_minor, for the numbers that are in use.
  device: stats.rdev === 0 ? '' : deviceNumber(stats.rdev)
})

async function runProgram(argv: readonly [string, ...string[]]): Promise<string | undefined> {
  const [file, ...args] = argv
  if ((await stat(file).catch(missing)) === undefined) return undefined
  const { execa } = await import('execa')
  const child = execa(file, args, CHILD)
  // A grandchild that is left behind would hold the pipe open, and this call would not end.
  const timer = setTimeout(() => child.stdout.destroy(), CHILD.timeout + 500)
  const done = await child.finally(() => clearTimeout(timer))
  const name = argv.join(' ')
  if (done.timedOut) throw failure(name, { code: 'ETIMEDOUT' })
  if (done.isMaxBuffer) throw new HostError(name, 'EFBIG', { says: 'it printed more than 64 KiB' })
  if (done.signal !== undefined) throw new HostError(name, 'EIO', { says: `it was ended by ${done.signal}` })
  // Without an exit code it never started: it is a directory, or not executable.
  return done.exitCode === undefined ? undefined : done.stdout
}

/** systeminformation always reads the machine that it runs on, so it is used only if the host root is that machine. */
async function sameMachine(read: HostReader['read']): Promise<boolean> {
  const [there, here] = await Promise.all([read(BOOT_ID), readHere(BOOT_ID)])
  return there !== undefined && there === here
}

const readHere = (path: string) => readText(path, path, callsFor(path)).catch(missing)

async function takeInventory(): Promise<Inventory> {
  const { default: si } = await import('systeminformation')
  const [cpu, memory, disks] = await Promise.all([si.cpu(), si.mem(), si.blockDevices()])
  return {
    cpu: { model: `${cpu.manufacturer} ${cpu.brand}`.trim(), cores: cpu.cores },
    memory: { total: memory.total, available: memory.available },
    disks: disks
      .filter(({ type, name }) => type === 'disk' && !/^(zram|ram|nbd)\d/.test(name))
      .map(({ name, size, physical }) => ({ name, size, type: physical }))
  }
}
