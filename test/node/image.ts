import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'

export interface ImageWish {
  /** With their tags, as pods name it. */
  readonly names: readonly string[]
  readonly entrypoint: readonly string[]
  /** Programs of busybox. */
  readonly applets: readonly string[]
  /** Scripts of the shell by their paths. */
  readonly scripts?: Readonly<Record<string, string>>
  /** Programs of this machine, with the libraries that they load. */
  readonly programs?: readonly string[]
}

const WAIT = 'exec sleep infinity'

/** What pods of the tests are made of. */
export const SMALL: Readonly<Record<'workspace' | 'pause' | 'examples' | 'fuse', ImageWish>> = {
  workspace: { names: ['localhost/workspace:1'], entrypoint: ['/bin/sleep', '86400'], applets: ['sh', 'sleep', 'cat', 'true'] },
  fuse: {
    names: ['localhost/fuse:1'],
    entrypoint: [],
    applets: ['sh', 'sleep', 'cat', 'unshare', 'mkdir', 'mktemp', 'umount'],
    programs: ['/usr/bin/fuse-overlayfs']
  },
  pause: { names: ['localhost/pause:1'], entrypoint: ['/bin/sleep', '86400'], applets: ['sleep'] },
  // Where no registry is, this stands for all that the example workspaces run, and has what they call.
  examples: {
    names: [
      'ghcr.io/coder/envbox:0.6.7',
      'docker.io/codercom/enterprise-base:ubuntu',
      'ghcr.io/coder/podman:ubuntu',
      'docker.io/library/docker:dind'
    ],
    entrypoint: [],
    applets: ['sh', 'sleep'],
    scripts: { envbox: WAIT, 'bin/dockerd': WAIT, 'sbin/init': WAIT, 'bin/sudo': '', 'bin/chown': '' }
  }
}

/** Writes it as an OCI archive with one layer. */
export async function writeImage(
  { names, entrypoint, applets, scripts = {}, programs = [] }: ImageWish,
  archive: string
): Promise<void> {
  const draft = await mkdtemp(join(tmpdir(), 'berth-image-'))
  try {
    const [root, layout] = [join(draft, 'root'), join(draft, 'layout')]
    for (const folder of ['bin', 'tmp', 'host', 'run/berth', 'proc', 'sys', 'dev', 'etc', 'var'])
      await mkdir(join(root, folder), { recursive: true })
    for (const applet of applets) await cp('/bin/busybox', join(root, 'bin', applet))
    for (const [path, text] of Object.entries(scripts)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    }
    for (const program of programs) await copyProgram(program, root)
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true })
    const layerFile = join(draft, 'layer')
    await execa('tar', [
      '-C',
      root,
      '--numeric-owner',
      '--owner=0',
      '--group=0',
      '--sort=name',
      '--mtime=@0',
      '-cf',
      layerFile,
      '.'
    ])
    const layer = await blob(layout, layerFile, 'application/vnd.oci.image.layer.v1.tar')
    const config = await json(layout, 'application/vnd.oci.image.config.v1+json', {
      ...{ architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' },
      config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Entrypoint: entrypoint },
      rootfs: { type: 'layers', diff_ids: [layer.digest] }
    })
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    const manifest = await json(layout, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] })
    const manifests = names.map(name => ({ ...manifest, annotations: { 'io.containerd.image.name': name } }))
    const index = { schemaVersion: 2, manifests }
    await writeFile(join(layout, 'index.json'), JSON.stringify(index))
    await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
    await execa('tar', ['-C', layout, '-cf', archive, '.'])
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** At their own paths; ldd tells the libraries, the dynamic linker among them. */
async function copyProgram(program: string, root: string): Promise<void> {
  const { stdout } = await execa('ldd', [program])
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
  for (const path of [program, ...libraries]) await cp(path, join(root, path), { dereference: true })
}

interface Blob {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

async function json(layout: string, mediaType: string, value: unknown): Promise<Blob> {
  const file = join(layout, 'draft')
  await writeFile(file, JSON.stringify(value))
  return await blob(layout, file, mediaType)
}

async function blob(layout: string, file: string, mediaType: string): Promise<Blob> {
  const hash = createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
  const { size } = await stat(file)
  await rename(file, join(layout, 'blobs/sha256', hash))
  return { mediaType, digest: `sha256:${hash}`, size }
}
