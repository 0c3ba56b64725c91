import { readFile } from 'node:fs/promises'
import { execa } from 'execa'

export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly source: string
  readonly sourceVersion: string
}

const FIELDS = ['Package', 'Version', 'Architecture', 'source:Package', 'source:Version', 'db:Status-Status']

/** What a database of dpkg lists as installed; all of it, or the packages named. Throws `Error` for one that it does not list. */
export async function debianPackages(database: string, names: readonly string[] = []): Promise<readonly DebianPackage[]> {
  const format = `${FIELDS.map(field => `\${${field}}`).join('\t')}\n`
  const { stdout } = await execa('dpkg-query', [`--admindir=${database}`, '-W', '-f', format, ...names])
  return stdout
    .split('\n')
    .map(line => line.split('\t'))
    .filter(fields => fields.at(-1) === 'installed')
    .map(([name = '', version = '', architecture = '', source = '', sourceVersion = '']) => ({
      ...{ name, version, architecture },
      ...{ source, sourceVersion }
    }))
}

/** `13`, as os-release says. Throws `Error` where it says none. */
export async function debianRelease(osRelease: string): Promise<string> {
  const [, release] = /^VERSION_ID="?([^"\n]+)"?$/m.exec(await readFile(osRelease, 'utf8')) ?? []
  if (release === undefined) throw new Error(`${osRelease} names no VERSION_ID`)
  return release
}
