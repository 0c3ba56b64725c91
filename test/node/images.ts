import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { ROOT } from '../../scripts/steps.ts'
import { cacheFolder } from '../cluster/go-programs.ts'
import { machineMirrors } from '../machine/archive.ts'

export type Target = 'agent' | 'helper'

/** The images of the Dockerfile, built here by buildah. */
export interface Images {
  /** Archives by target, under the names that the manifests give them. */
  readonly archives: Readonly<Record<Target, string>>
}

/** What the manifests call them. */
const NAMES = { agent: 'docker.io/library/berth:0.1.0', helper: 'docker.io/library/berth-helper:0.1.0' } as const

const store = () => join(cacheFolder(), 'images')

/** Runs buildah on a store of the tests' own; resolves to what it printed. */
export async function buildah(...args: readonly string[]): Promise<string> {
  const where = ['--root', join(store(), 'root'), '--runroot', join(store(), 'run'), '--storage-driver', 'overlay']
  const env = { BUILDAH_ISOLATION: 'chroot' }
  return (await execa('buildah', [...where, ...args], { env, stdin: 'ignore' })).stdout.trim()
}

/** Writes the archives into a folder. Minutes the first time, for the bases; they are kept in the user's cache folder. */
export async function buildImages(folder: string): Promise<Images> {
  const bases = await baseImages()
  // Under a name of its own it is kept; it takes longest, and changes only with the Dockerfile.
  await build('tools', `localhost/berth-tools:${bases.key}`, bases, ['--layers'])
  const archives = { agent: join(folder, 'agent.tar'), helper: join(folder, 'helper.tar') }
  for (const target of ['agent', 'helper'] as const) {
    const name = `localhost/berth-${target}:${process.pid}`
    await build(target, name, bases, ['--layers'])
    await buildah('push', '-q', name, `docker-archive:${archives[target]}:${NAMES[target]}`)
    await buildah('rmi', name)
  }
  await buildah('rmi', '--prune')
  return { archives }
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
    ...['bud', '-q', '--pull-never', '--network', 'host', '--timestamp', '0', ...how],
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

/** What the Dockerfile's default bases are made of, made here: Debian 13, and the same with Node and npm. */
async function baseImages(): Promise<Bases> {
  const { stdout: npm } = await execa('npm', ['root', '-g'])
  const key = createHash('sha256').update(`trixie ${process.version} 1`).digest('hex').slice(0, 12)
  const bases = { debian: `localhost/berth-debian:${key}`, node: `localhost/berth-node:${key}`, key }
  const has = (name: string) =>
    buildah('inspect', '--type', 'image', name).then(
      () => true,
      () => false
    )
  if (await has(bases.node)) return bases
  await mkdir(store(), { recursive: true })
  process.stderr.write('Making base images from the Debian archive (once; about a minute) ...\n')
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
