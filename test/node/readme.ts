import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../scripts/steps.ts'

/** Every line of the code blocks of one section of the README, but for those with a language. */
export function commandsOf(section: string): readonly string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, text] = readme.split(`\n## ${section}\n`)
  if (text === undefined) throw new Error(`the README has no section "${section}"`)
  const [own = ''] = text.split('\n## ')
  const blocks = [...own.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
  return blocks.filter(([, language]) => language === '').flatMap(([, , block = '']) => block.trim().split('\n'))
}
