import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { ROOT } from '../../packaging/root.ts'
import { machineMirrors } from '../machine/archive.ts'
import { type CachedFolder, cacheFolder, isCached, makeCached, pathOfCached } from '../support/cache.ts'
import type { Part } from '../support/prepare.ts'

export type Target = 'agent' | 'helper'

/** The images of the Dockerfile, built here by buildah. */
export interface Images {
  /** Archives by target, under the names that the manifests give them. */
  readonly archives: Readonly<Record<Target, string>>
}

/** What the manifests call them. */
const NAMES = { agent: 'docker.io/library/berth:0.1.0', helper: 'docker.io/library/berth-helper:0.1.0' } as const

const store = () => join(cacheFolder(), 'buildah')

/** Runs buildah on a store of the tests' own; resolves to what it printed. */
export async function buildah(...args: readonly string[]): Promise<string> {
  const where = ['--root', join(store(), 'root'), '--runroot', join(store(), 'run'), '--storage-driver', 'overlay']
  const env = { BUILDAH_ISOLATION: 'chroot' }
  return (await execa('buildah', [...where, ...args], { env, stdin: 'ignore' })).stdout.trim()
}

/** The images of today's sources. Throws `Error` while they are not built. */
export async function images(): Promise<Images> {
  const wanted = await cachedImages()
  if (!(await isCached(wanted)))
    throw new Error(
      'the images are not built from the sources as they are: `npm run test:prepare` builds them, and so does `npm test`'
    )
  return imagesIn(pathOfCached(wanted))
}

/** The base images take minutes, once. */
export async function imagesPart(): Promise<Part> {
  const wanted = await cachedImages()
  return {
    does: 'building the images of the agent and the helper, on base images from Debian’s archive',
    isReady: () => isCached(wanted),
    make: async () => {
      await makeCached(wanted, buildImages)
      await removeOthers(wanted)
    },
    wayOut: 'a mirror of Debian must be reachable; `npm run build` shows whether the bundle can be built'
  }
}

const imagesIn = (folder: string): Images => ({
  archives: { agent: join(folder, 'agent.tar'), helper: join(folder, 'helper.tar') }
})

async function cachedImages(): Promise<CachedFolder> {
  const hash = createHash('sha256').update(baseNames().key)
  for (const path of await contextFiles()) hash.update(path).update(await readFile(join(ROOT, path)))
  return { name: join('images', hash.digest('hex').slice(0, 12)), files: ['agent.tar', 'helper.tar'] }
}

/** What `.dockerignore` lets through, without tars. */
async function contextFiles(): Promise<readonly string[]> {
  const files = ['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE', 'Dockerfile']
  for (const folder of ['scripts', 'packaging', 'src', 'manifests/workspaces'])
    for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) files.push(relative(ROOT, join(entry.parentPath, entry.name)))
  return files.toSorted()
}

const A_DAY = 24 * 60 * 60_000 // milliseconds

/** Each change of a source makes new ones, of 300 MB; those of another checkout may be in use. */
async function removeOthers({ name }: CachedFolder): Promise<void> {
  const parent = join(cacheFolder(), 'images')
  for (const other of await readdir(parent)) {
    const path = join(parent, other)
    const { mtimeMs } = await stat(path)
    if (other !== basename(name) && Date.now() - mtimeMs > A_DAY) await rm(path, { recursive: true, force: true })
  }
}

async function buildImages(folder: string): Promise<void> {
  const bases = await baseImages()
  // Under a name of its own it is kept; it takes longest, and changes only with the Dockerfile.
  await build('tools', `localhost/berth-tools:${bases.key}`, bases, ['--layers'])
  const { archives } = imagesIn(folder)
  for (const target of ['agent', 'helper'] as const) {
    const name = `localhost/berth-${target}:${process.pid}`
    await build(target, name, bases, ['--layers'])
    await buildah('push', '-q', name, `docker-archive:${archives[target]}:${NAMES[target]}`)
    await buildah('rmi', name)
  }
  // What another run is at work with, or what was killed in the middle, stays; it costs only room.
  await buildah('rmi', '--prune').catch((error: Error) => process.stderr.write(`${error.message}\n`))
}

/** Builds a target without anything that an earlier build left; resolves to the digest of the image. */
export async function buildAnew(target: Target): Promise<string> {
  const name = `localhost/berth-again:${process.pid}`
  await build(target, name, await baseImages(), ['--no-cache'])
  const digest = await buildah('inspect', '--type', 'image', '-f', '{{.FromImageDigest}}', name)
  await buildah('rmi', name)
  return digest
}

async function build(target: string, name: string, { debian, node }: Bases, how: readonly string[]): Promise<void> {
  await buildah(
    ...['bud', '-q', '--pull-never', '--force-rm', '--network', 'host', '--timestamp', '0', ...how],
    ...['--build-arg', `BASE=${debian}`, '--build-arg', `NODE=${node}`],
    // The packages are here already, at the versions of the lock file.
    ...['--build-arg', 'INSTALL=true', '--volume', `${join(ROOT, 'node_modules')}:/src/node_modules:ro`],
    ...['--target', target, '-t', name, ROOT]
  )
}

interface Bases {
  readonly debian: string
  readonly node: string
  readonly key: string
}

function baseNames(): Bases {
  const key = createHash('sha256').update(`trixie ${process.version} 1`).digest('hex').slice(0, 12)
  return { debian: `localhost/berth-debian:${key}`, node: `localhost/berth-node:${key}`, key }
}

/** What the Dockerfile's default bases are made of, made here: Debian 13, and the same with Node and npm. */
async function baseImages(): Promise<Bases> {
  const { stdout: npm } = await execa('npm', ['root', '-g'])
  const bases = baseNames()
  const has = (name: string) =>
    buildah('inspect', '--type', 'image', name).then(
      () => true,
      () => false
    )
  if (await has(bases.node)) return bases
  await mkdir(store(), { recursive: true })
  const draft = await mkdtemp(join(store(), 'draft-'))
  try {
    const root = join(draft, 'root.tar')
    const { debian } = await machineMirrors()
    const keyring = '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg'
    await execa('mmdebstrap', ['--variant=minbase', keyring, 'trixie', root, debian], { stdin: 'ignore' })
    await made(bases.debian, 'scratch', [root, '/'], undefined)
    await cp(process.execPath, join(draft, 'node/bin/node'))
    await cp(join(npm, 'npm'), join(draft, 'node/lib/node_modules/npm'), { recursive: true, dereference: true })
    const link = 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm'
    await made(bases.node, bases.debian, [join(draft, 'node'), '/usr/local'], link)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return bases
}

async function made(
  name: string,
  from: string,
  [source, target]: readonly [string, string],
  then: string | undefined
): Promise<void> {
  const container = await buildah('from', '--pull-never', from)
  await buildah('add', '-q', container, source, target)
  if (then !== undefined) await buildah('run', container, '--', 'sh', '-c', then)
  await buildah('commit', '-q', '--timestamp', '0', container, name)
  await buildah('rm', container)
}
