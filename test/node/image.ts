import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'

export interface ImageWish {
  /** With its tag, as a pod names it. */
  readonly name: string
  readonly entrypoint: readonly string[]
  /** Programs of busybox. */
  readonly applets: readonly string[]
}

/** What pods of the tests are made of. */
export const SMALL: Readonly<Record<'workspace' | 'pause', ImageWish>> = {
  workspace: { name: 'localhost/workspace:1', entrypoint: ['/bin/sleep', '86400'], applets: ['sh', 'sleep', 'cat', 'true'] },
  pause: { name: 'localhost/pause:1', entrypoint: ['/bin/sleep', '86400'], applets: ['sleep'] }
}

/** Writes it as an OCI archive with one layer. */
export async function writeImage({ name, entrypoint, applets }: ImageWish, archive: string): Promise<void> {
  const draft = await mkdtemp(join(tmpdir(), 'berth-image-'))
  try {
    const [root, layout] = [join(draft, 'root'), join(draft, 'layout')]
    for (const folder of ['bin', 'tmp', 'host', 'run/berth', 'proc', 'sys', 'dev', 'etc', 'var'])
      await mkdir(join(root, folder), { recursive: true })
    for (const applet of applets) await cp('/bin/busybox', join(root, 'bin', applet))
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
    const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations: { 'io.containerd.image.name': name } }] }
    await writeFile(join(layout, 'index.json'), JSON.stringify(index))
    await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
    await execa('tar', ['-C', layout, '-cf', archive, '.'])
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
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
