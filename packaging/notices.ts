import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BundledPackage } from './bundled-packages.ts'

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i
const LINE = '='.repeat(80)

/** The licence texts of npm packages, as their folders have them. Throws `Error` with the name of a package that has none. */
export async function packageNotices(packages: readonly BundledPackage[]): Promise<string> {
  return (await Promise.all(packages.map(packageNotice))).join('')
}

async function packageNotice({ name, version, license, folder }: BundledPackage): Promise<string> {
  const files = (await readdir(folder)).filter(file => LICENCE_FILE.test(file)).toSorted()
  const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')))
  if (texts.join('').trim() === '')
    throw new Error(`${name}@${version} (${license}) brings no licence text: it may not be shipped without one`)
  return notice(`${name} ${version} (${license})`, texts)
}

/**
 * The copyright files of Debian packages of this machine, then the licences that they only name by the path below
 * /usr/share/common-licenses. Throws `Error` for a package that is not installed.
 */
export async function debianNotices(packages: readonly { readonly name: string; readonly title: string }[]): Promise<string> {
  const texts = await Promise.all(packages.map(({ name }) => readFile(`/usr/share/doc/${name}/copyright`, 'utf8')))
  const notices = packages.map(({ title }, index) => notice(title, [texts[index] as string]))
  const named = new Set(texts.join('').match(/\/usr\/share\/common-licenses\/[\w.+-]*\w/g))
  const common = [...named].toSorted().map(async path => notice(path, [await readFile(path, 'utf8')]))
  return [...notices, ...(await Promise.all(common))].join('')
}

/** A title that can be found, and what is said under it. */
export function notice(title: string, texts: readonly string[]): string {
  return `${LINE}\n${title}\n${LINE}\n\n${texts.map(text => text.trim()).join('\n\n')}\n\n`
}
