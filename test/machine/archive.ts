import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

/** Debian's archive in several suites at once, beside the machine's own apt and without any effect on it. */
export interface Archive {
  /** Downloads the packages and all that they depend on; the paths of the files. */
  readonly withDependencies: (names: readonly string[]) => Promise<readonly string[]>
  /** Downloads just these. */
  readonly alone: (names: readonly string[]) => Promise<readonly string[]>
  /** Every version of a package that a suite has, newest first. */
  readonly versions: (name: string) => Promise<readonly { readonly version: string; readonly depends: string }[]>
}

export interface ArchiveWish {
  /** A folder of its own, for apt's lists and downloads. */
  readonly folder: string
  /** Code names; the security suite of each is looked into too. */
  readonly suites: readonly string[]
  /** Packages to act on as if they were installed: dependencies that nobody needs. */
  readonly presumed: readonly string[]
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** apt itself checks the signature of every suite against Debian's keyring, and the checksum of every package. */
export async function openArchive({ folder, suites, presumed }: ArchiveWish): Promise<Archive> {
  const at = (...names: readonly string[]) => join(folder, ...names)
  for (const name of ['etc', 'state/lists/partial', 'cache/archives/partial', 'alone']) await mkdir(at(name), { recursive: true })
  const mirrors = await machineMirrors()
  const lines = suites.flatMap(suite => [entry(mirrors.debian, suite), entry(mirrors.security, `${suite}-security`)])
  await writeFile(at('etc/sources.list'), `${lines.join('\n')}\n`)
  await writeFile(at('state/status'), presumed.map(installed).join('\n'))
  await apt(folder, 'apt-get', ['update'])
  return {
    versions: name => versions(folder, name),
    withDependencies: names =>
      apt(folder, 'apt-get', ['install', '--download-only', '-y', ...names]).then(() => packagesIn(at('cache/archives'))),
    alone: names => apt(folder, 'apt-get', ['download', ...names], at('alone')).then(() => packagesIn(at('alone')))
  }
}

export interface Mirrors {
  readonly debian: string
  readonly security: string
}

/** Where the machine's own apt gets Debian from: a mirror that is reached, which is all that a test may count on. */
export async function machineMirrors(): Promise<Mirrors> {
  const found = (await listedMirrors()) ?? (await updated().then(listedMirrors))
  if (!found) throw new Error("apt of this machine names no mirror of Debian and of Debian's security updates")
  return found
}

async function listedMirrors(): Promise<Mirrors | undefined> {
  const format = ['--format', '$(REPO_URI) $(LABEL)', 'Created-By: Packages'] // the label comes from the signed Release file
  const { stdout } = await execa('apt-get', ['indextargets', ...format])
  const labelled = (label: string) =>
    stdout
      .split('\n')
      .map(line => line.split(' '))
      .find(([, name]) => name === label)?.[0]
  const debian = labelled('Debian')
  const security = labelled('Debian-Security')
  return debian && security ? { debian, security } : undefined
}

const updated = () => execa('apt-get', ['update', '-qq'])

const entry = (mirror: string, suite: string): string => `deb [arch=amd64 signed-by=${keyring}] ${mirror} ${suite} main`

const installed = (name: string): string =>
  [
    `Package: ${name}`,
    'Status: install ok installed',
    'Version: 9999',
    'Architecture: amd64',
    `Multi-Arch: ${name.startsWith('lib') ? 'same' : 'allowed'}`,
    'Maintainer: nobody',
    'Description: presumed',
    ''
  ].join('\n')

async function versions(folder: string, name: string): Promise<readonly { version: string; depends: string }[]> {
  const text = await apt(folder, 'apt-cache', ['show', name])
  return text.split('\n\n').map(paragraph => {
    const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(paragraph)?.[1] ?? ''
    return { version: field('Version'), depends: field('Depends') }
  })
}

async function apt(folder: string, program: 'apt-get' | 'apt-cache', args: readonly string[], cwd = folder): Promise<string> {
  const settings = {
    'Dir::Etc': join(folder, 'etc'),
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'state/status'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Sandbox::User': 'root', // apt's own user may not enter a person's cache folder
    'APT::Install-Recommends': '0',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': '0'
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  return (await execa(program, [...options, '-q', ...args], { cwd, stdin: 'ignore' })).stdout
}

const packagesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter(name => name.endsWith('.deb')).map(name => join(folder, name))
