import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environmentName, OPTIONS } from '../../src/config.ts'
import { PERMITS } from '../../src/remedies/plan.ts'
import { VERSION } from '../../src/version.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const helper = read('manifests/components/helper/daemonset.yaml')

/** What a helper is told besides where it is and what only verdicts rest on. */
const told = Object.entries(OPTIONS).filter(
  ([name, { commands }]) =>
    (commands as readonly string[]).includes('helper') &&
    (!(commands as readonly string[]).includes('report') ||
      /^(permit|max-user-namespaces|shiftfs-outside-ubuntu|host-root)$/.test(name))
)

test.each(told.map(([name, { fallback, form }]) => [name, form === '' ? 'false' : fallback] as const))(
  'the component of the helper tells of --%s and its default',
  (name, fallback) => {
    if (name === 'node-name') expect(helper).toContain('- name: NODE_NAME')
    else expect(helper).toContain(environmentName(name))
    const [, value] = new RegExp(`#   ${environmentName(name)} +(\\S+)`).exec(helper) ?? []
    if (value !== undefined) expect(value).toBe(fallback === '' ? 'none' : fallback)
  }
)

test('and of every permit', () => {
  for (const permit of PERMITS) expect(helper).toMatch(new RegExp(`#   ${permit} `))
})

// What workspaces run is not ours.
const ours = globSync('manifests/**/*.yaml', { cwd: root, exclude: ['manifests/workspaces/**'] })

test.each(ours)('%s names images of this version, from no registry in particular', path => {
  const images = [...read(path).matchAll(/^ *(?:- )?image: (\S+)/gm)].map(([, image]) => image as string)
  for (const image of images) expect(image).toMatch(new RegExp(`^berth(-helper)?:${RegExp.escape(VERSION)}$`))
})
