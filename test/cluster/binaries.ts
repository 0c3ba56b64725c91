import { createHash } from 'node:crypto'
import { access, constants, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { ExecaError, execa } from 'execa'
import { ownFolder } from './leftovers.ts'

export interface Binaries {
  readonly etcd: string
  readonly kubeApiserver: string
}

const here = import.meta.dirname
const buildLimit = 60 * 60_000 // milliseconds

/**
 * Where etcd and kube-apiserver lie: in `KUBEBUILDER_ASSETS` when that is set, else in the user's cache folder,
 * where the first call builds them from the Go modules that `go.mod` beside this file pins.
 */
export async function controlPlaneBinaries(): Promise<Binaries> {
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (assets) return provided(assets)
  const recipe = await readRecipe()
  const cache = cacheFolder()
  const binaries = binariesIn(join(cache, recipe.key))
  if (!(await executable(binaries.etcd)) || !(await executable(binaries.kubeApiserver))) await build(recipe, cache)
  return binaries
}

function binariesIn(directory: string): Binaries {
  return { etcd: join(directory, 'etcd'), kubeApiserver: join(directory, 'kube-apiserver') }
}

async function provided(directory: string): Promise<Binaries> {
  const binaries = binariesIn(directory)
  for (const path of Object.values(binaries)) {
    if (await executable(path)) continue
    throw new Error(
      `KUBEBUILDER_ASSETS is ${directory}, but ${path} is missing or not executable; unset it to have the tests build their own`
    )
  }
  return binaries
}

function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false
  )
}

/** `berth-test` in the cache folder of whoever runs the tests. */
export function cacheFolder(): string {
  const wanted = process.env['XDG_CACHE_HOME']
  const base = wanted && isAbsolute(wanted) ? wanted : join(homedir(), '.cache') // a relative path counts as unset: XDG says so
  return join(base, 'berth-test')
}

interface Recipe {
  readonly etcd: string
  readonly kubernetes: string
  readonly targets: readonly Target[]
  readonly key: string
}

interface Target {
  readonly name: string
  readonly module: string
  readonly flags: string
}

/** The key changes with every module version, every flag and the architecture: a cached folder never needs a second look. */
async function readRecipe(): Promise<Recipe> {
  const [goMod, goSum] = await Promise.all(['go.mod', 'go.sum'].map(name => readFile(join(here, name), 'utf8')))
  const etcd = versionOf('go.etcd.io/etcd/server/v3', goMod ?? '')
  const kubernetes = versionOf('k8s.io/kubernetes', goMod ?? '')
  const targets = [
    { name: 'etcd', module: 'go.etcd.io/etcd/server/v3', flags: '-s -w' },
    { name: 'kube-apiserver', module: 'k8s.io/kubernetes/cmd/kube-apiserver', flags: `-s -w ${stamps(kubernetes)}` }
  ]
  const hash = createHash('sha256')
    .update(JSON.stringify([goMod, goSum, targets]))
    .digest('hex')
    .slice(0, 12)
  return { etcd, kubernetes, targets, key: `etcd-${etcd}_kubernetes-${kubernetes}_${process.arch}_${hash}` }
}

function versionOf(module: string, goMod: string): string {
  const line = goMod.split('\n').find(line => line.trim().startsWith(`${module} v`))
  const version = line?.trim().split(' ')[1]
  if (!version) throw new Error(`${join(here, 'go.mod')} requires no version of ${module}`)
  return version
}

/** Without its version kube-apiserver takes itself for v0.0.0 and refuses its own emulation version. */
function stamps(version: string): string {
  const [major, minor] = version.slice(1).split('.')
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ')
}

/** Builds in a folder of its own and renames it as a whole: another build at the same time, or a kill, spoils nothing. */
async function build(recipe: Recipe, cache: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const draft = await ownFolder(cache, 'building-')
  process.stderr.write(
    `Building etcd ${recipe.etcd} and kube-apiserver ${recipe.kubernetes} for the tests (once; about 5 minutes on two cores) ...\n`
  )
  try {
    for (const target of recipe.targets) await goBuild(target, join(draft, target.name))
    await publish(draft, join(cache, recipe.key))
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function goBuild({ name, module, flags }: Target, output: string): Promise<void> {
  const args = ['build', '-trimpath', '-ldflags', flags, '-o', output, module]
  // The caller's GOFLAGS or workspace could change what is built, and a newer toolchain must not be fetched behind their back.
  const env = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', GOWORK: 'off' }
  try {
    await execa('go', args, { cwd: here, env, all: true, stdin: 'ignore', timeout: buildLimit })
  } catch (error) {
    throw new Error(`cannot build ${name}: ${whyBuildFailed(error)}`, { cause: error })
  }
}

function whyBuildFailed(error: unknown): string {
  if (!(error instanceof ExecaError)) return String(error)
  if (error.code === 'ENOENT')
    return 'there is no `go` on the PATH; install Go, or set KUBEBUILDER_ASSETS to a folder with the binaries'
  const tail = `${error.all ?? ''}`.trimEnd().split('\n').slice(-15).join('\n')
  return `${error.shortMessage}\n${tail}`
}

/** A rename onto a folder that another build has finished meanwhile fails; theirs is as good as ours. */
async function publish(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    if (await complete(target)) return
    await rm(target, { recursive: true, force: true }) // somebody removed a file from it: make it whole
    await rename(draft, target)
  }
}

async function complete(directory: string): Promise<boolean> {
  const found = await Promise.all(Object.values(binariesIn(directory)).map(executable))
  return found.every(Boolean)
}
