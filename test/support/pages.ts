import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../packaging/root.ts'

/** Folders with pages; the root has some too. */
const FOLDERS = ['docs', '.github'] as const

/** Every page of the documentation, as its path from the root of the repository. */
export const pages = (): readonly string[] => [
  ...readdirSync(ROOT).filter(isPage),
  ...FOLDERS.flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(isPage)
      .map(name => `${folder}/${name}`)
  )
]

const isPage = (name: string): boolean => name.endsWith('.md') && !name.includes('node_modules/')
