import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../packaging/root.ts'

export const readPage = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

/** The fenced blocks of a text, each with the word behind its fence. */
export const blocksOf = (text: string): readonly { readonly language: string; readonly block: string }[] =>
  [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map(([, , language = '', block = '']) => ({ language, block }))

/** Every command in the `sh` blocks of a text; a line that ends with a backslash continues on the next one. */
export const commandsIn = (text: string): readonly string[] =>
  blocksOf(text)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ block }) =>
      block
        .replaceAll(/\\\n\s*/g, '')
        .trim()
        .split('\n')
    )
    .map(line => line.trim())

/** The text below one heading of the second level. Throws where the page has no such heading. */
export function sectionOf(page: string, section: string): string {
  const [, text] = readPage(page).split(`\n## ${section}\n`)
  if (text === undefined) throw new Error(`${page} has no section "${section}"`)
  return text.split('\n## ')[0] ?? ''
}
