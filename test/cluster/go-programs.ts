import { createHash } from 'node:crypto'
import { access, constants, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { ExecaError, execa } from 'execa'
import { ownFolder } from './leftovers.ts'

/** Programs that are built from the Go modules that a `go.mod` pins. */
export interface GoPrograms {
  /** Where that `go.mod` lies. */
  readonly module: string
  /** The name of the folder in the cache: another one for each version, flag and architecture. */
  readonly key: string
  readonly programs: readonly GoProgram[]
  /** For people, who wait: `etcd v3.6.8 (once; about 5 minutes on two cores)`. */
  readonly about: string
  /** What else to do where there is no Go. */
  readonly otherwise: string
}

export interface GoProgram {
  readonly name: string
  readonly package: string
  /** For the linker. */
  readonly flags: string
  readonly tags?: string
  /** Whether C is compiled too. */
  readonly cgo?: boolean
}

/** The `go.mod` of a folder, and the version that it pins of a module. */
export interface Pins {
  readonly versionOf: (module: string) => string
  /** Changes with every module version, and with everything in `more`. */
  readonly hash: (...more: readonly unknown[]) => string
}

/** Throws `Error` for a module that is not pinned there. */
export async function readPins(folder: string): Promise<Pins> {
  const [goMod = '', goSum = ''] = await Promise.all(['go.mod', 'go.sum'].map(name => readFile(join(folder, name), 'utf8')))
  const versionOf = (module: string): string => {
    const line = goMod.split('\n').find(line => line.replace('require', '').trim().startsWith(`${module} v`))
    const version = line?.replace('require', '').trim().split(' ')[1]
    if (!version) throw new Error(`${join(folder, 'go.mod')} requires no version of ${module}`)
    return version
  }
  const hash = (...more: readonly unknown[]): string =>
    createHash('sha256')
      .update(JSON.stringify([goMod, goSum, ...more]))
      .digest('hex')
      .slice(0, 12)
  return { versionOf, hash }
}

export interface Recipe {
  /** Where its go.mod lies. */
  readonly folder: string
  readonly name: string
  readonly module: string
  readonly package: string
  readonly tags?: string
}

/** How to build the one program of a go.mod. */
export async function readRecipe({ folder, name, module, package: path, tags }: Recipe): Promise<GoPrograms> {
  const { versionOf, hash } = await readPins(folder)
  const version = versionOf(module)
  return {
    module: folder,
    key: `${name}-${version}_${process.arch}_${hash(...(tags === undefined ? [] : [tags]))}`,
    programs: [{ name, package: path, flags: '-s -w', ...(tags !== undefined && { tags }) }],
    about: `${name} ${version} (once; a few minutes on two cores at most)`,
    otherwise: ''
  }
}

/** Without its version a program of Kubernetes takes itself for v0.0.0, and the API server refuses its own emulation version. */
export function kubernetesFlags(version: string): string {
  const [major, minor] = version.slice(1).split('.')
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  const stamps = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return `-s -w ${stamps.join(' ')}`
}

const buildLimit = 60 * 60_000 // milliseconds

/** The folder in the user's cache where they lie; the first call builds them. */
export async function goPrograms(wanted: GoPrograms): Promise<string> {
  const folder = join(cacheFolder(), wanted.key)
  if (!(await complete(folder, wanted))) await build(wanted, folder)
  return folder
}

/** `berth-test` in the cache folder of whoever runs the tests. */
export function cacheFolder(): string {
  const wanted = process.env['XDG_CACHE_HOME']
  const base = wanted && isAbsolute(wanted) ? wanted : join(homedir(), '.cache') // a relative path counts as unset: XDG says so
  return join(base, 'berth-test')
}

export function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false
  )
}

/** Builds in a folder of its own and renames it as a whole: another build at the same time, or a kill, spoils nothing. */
async function build(wanted: GoPrograms, folder: string): Promise<void> {
  const cache = cacheFolder()
  await mkdir(cache, { recursive: true })
  const draft = await ownFolder(cache, 'building-')
  process.stderr.write(`Building ${wanted.about} for the tests ...\n`)
  try {
    for (const program of wanted.programs) await goBuild(program, wanted, join(draft, program.name))
    await publish(draft, folder, wanted)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function goBuild(
  { name, package: path, flags, tags = '', cgo = false }: GoProgram,
  wanted: GoPrograms,
  output: string
): Promise<void> {
  const args = ['build', '-trimpath', '-tags', tags, '-ldflags', flags, '-o', output, path]
  // The caller's GOFLAGS or workspace could change what is built, and a newer toolchain must not be fetched behind their back.
  const env = { CGO_ENABLED: cgo ? '1' : '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', GOWORK: 'off' }
  try {
    await execa('go', args, { cwd: wanted.module, env, all: true, stdin: 'ignore', timeout: buildLimit })
  } catch (error) {
    throw new Error(`cannot build ${name}: ${whyBuildFailed(error, wanted)}`, { cause: error })
  }
}

function whyBuildFailed(error: unknown, { otherwise }: GoPrograms): string {
  if (!(error instanceof ExecaError)) return String(error)
  if (error.code === 'ENOENT') return `there is no \`go\` on the PATH; install Go${otherwise}`
  const tail = `${error.all ?? ''}`.trimEnd().split('\n').slice(-15).join('\n')
  return `${error.shortMessage}\n${tail}`
}

/** A rename onto a folder that another build has finished meanwhile fails; theirs is as good as ours. */
async function publish(draft: string, target: string, wanted: GoPrograms): Promise<void> {
  try {
    await rename(draft, target)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    if (await complete(target, wanted)) return
    await rm(target, { recursive: true, force: true }) // somebody removed a file from it: make it whole
    await rename(draft, target)
  }
}

async function complete(folder: string, { programs }: GoPrograms): Promise<boolean> {
  const found = await Promise.all(programs.map(({ name }) => executable(join(folder, name))))
  return found.every(Boolean)
}
