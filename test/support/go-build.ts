import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { ExecaError, execa } from 'execa'
import { type CachedFolder, isCached, makeCached } from './cache.ts'
import type { Part } from './prepare.ts'

/** Programs that one `go build` makes from the modules that a `go.mod` pins. */
export interface GoPrograms {
  /** Where that `go.mod` lies. */
  readonly folder: string
  /** The module whose version stands for all of them. */
  readonly module: string
  /** Program name → package. */
  readonly programs: Readonly<Record<string, string>>
  readonly tags?: string
  /** Whether C is compiled too. */
  readonly cgo?: boolean
}

// No paths of this machine, no symbol table and no debugging information, which is half of what the linker would write.
const FLAGS = ['-trimpath', '-gcflags=all=-dwarf=false']
/** The caller's GOFLAGS or workspace could change what is built, and a newer toolchain must not be fetched behind their back. */
const ENVIRONMENT = { GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', GOWORK: 'off' }
const LIMIT = 60 * 60_000 // milliseconds

/** The version that the `go.mod` of a folder requires of a module. Throws `Error` for a module that it does not require. */
export function requiredVersion(folder: string, module: string): string {
  const goMod = readFileSync(join(folder, 'go.mod'), 'utf8')
  const line = goMod.split('\n').find(line => line.replace('require', '').trim().startsWith(`${module} v`))
  const version = line?.replace('require', '').trim().split(' ')[1]
  if (!version) throw new Error(`${join(folder, 'go.mod')} requires no version of ${module}`)
  return version
}

/** Where they lie in the cache; another place for each module version, flag and architecture. */
export async function goFolder(wanted: GoPrograms): Promise<CachedFolder> {
  const files = ['go.mod', 'go.sum'].map(name => readFile(join(wanted.folder, name), 'utf8'))
  const { folder: _, ...recipe } = wanted
  const hash = createHash('sha256').update(JSON.stringify([await Promise.all(files), recipe, FLAGS]))
  const version = requiredVersion(wanted.folder, wanted.module)
  const names = Object.keys(wanted.programs)
  return { name: join('programs', `${names[0]}-${version}-${process.arch}-${hash.digest('hex').slice(0, 12)}`), files: names }
}

/** The part of the preparation that builds them. */
export async function goPart(wanted: GoPrograms): Promise<Part> {
  const version = requiredVersion(wanted.folder, wanted.module)
  const cached = await goFolder(wanted)
  return {
    does: `building ${Object.keys(wanted.programs).join(', ')} (${wanted.module} ${version})`,
    isReady: () => isCached(cached),
    make: say => makeCached(cached, draft => build(wanted, version, draft, say)),
    wayOut: 'look at the compiler messages above; a module that cannot be fetched is a matter of `go env GOPROXY`'
  }
}

async function build(wanted: GoPrograms, version: string, target: string, say: (text: string) => void): Promise<void> {
  const { folder, programs, tags = '', cgo = false } = wanted
  const env = { ...ENVIRONMENT, CGO_ENABLED: cgo ? '1' : '0' }
  const packages = Object.values(programs)
  // go build names its output after the packages, among which may be two of one name: a folder for them, then a name for each.
  const draft = await mkdtemp(join(tmpdir(), 'berth-go-'))
  try {
    const list = await execa('go', ['list', '-deps', '-tags', tags, ...packages], { cwd: folder, env })
    const args = [
      'build',
      '-v',
      ...FLAGS,
      '-tags',
      tags,
      '-ldflags',
      linkerFlags(wanted, version),
      '-o',
      `${draft}/`,
      ...packages
    ]
    const child = execa('go', args, { cwd: folder, env, stdin: 'ignore', timeout: LIMIT })
    reportProgress(createInterface(child.stderr), list.stdout.split('\n').length, say)
    await child
    for (const [name, path] of Object.entries(programs)) await rename(join(draft, executableName(path)), join(target, name))
  } catch (error) {
    throw explained(error)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

const MINUTE = 60_000 // milliseconds

/** `go build -v` prints the name of each package that it compiles; those in Go's own cache it does not name. */
function reportProgress(lines: AsyncIterable<string> & NodeJS.EventEmitter, total: number, say: (text: string) => void): void {
  let count = 0
  let reported = Date.now()
  lines.on('line', () => {
    count += 1
    if (Date.now() - reported < MINUTE) return
    reported = Date.now()
    say(`${count} of at most ${total} packages are compiled`)
  })
}

/** Without its version a program of Kubernetes takes itself for v0.0.0, and the API server refuses its own emulation version. */
function linkerFlags({ module }: GoPrograms, version: string): string {
  if (module !== 'k8s.io/kubernetes') return '-s -w'
  const [major, minor] = version.slice(1).split('.')
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  const stamps = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return `-s -w ${stamps.join(' ')}`
}

/** The last part of a package's path that is not a major version, as go build has it. */
const executableName = (path: string): string => basename(path.replace(/\/v\d+$/, ''))

function explained(error: unknown): Error {
  if (!(error instanceof ExecaError)) return error as Error
  if (error.code === 'ENOENT') return new Error('there is no `go` on the PATH', { cause: error })
  const tail = `${error.stderr ?? ''}`.trimEnd().split('\n').slice(-15).join('\n')
  return new Error(`${error.shortMessage}\n${tail}`, { cause: error })
}
