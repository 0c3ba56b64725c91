import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { CHART_FILES, CHART_SCHEMA, chartFiles } from '../../packaging/chart-files.ts'
import { ROOT } from '../../packaging/root.ts'
import { OPTIONS } from '../../src/cli/options/all.ts'
import { VERSION } from '../../src/version.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const files = chartFiles()

test.each(Object.keys(files))('%s is what it is made from (npm run golden writes it)', path => {
  expect(read(path)).toBe(files[path])
})

test('the chart holds no copy of what is no more, and every manifest of the base', () => {
  const found = globSync(`${CHART_FILES}/**/*.*`, { cwd: ROOT })
  expect([...found, CHART_SCHEMA].toSorted()).toEqual(Object.keys(files).toSorted())
  const { resources } = load(read('manifests/base/kustomization.yaml')) as { readonly resources: readonly string[] }
  for (const file of resources) expect(files).toHaveProperty([`${CHART_FILES}/base/${file}`])
})

test('the chart is of this version', () => {
  expect(load(read('manifests/chart/Chart.yaml'))).toMatchObject({ version: VERSION, appVersion: VERSION })
})

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
}

/** The names of an object and of the objects in it, as a.b, as far as the schema closes them. */
const namesIn = (value: unknown, { properties }: Schema, path = ''): readonly string[] =>
  properties === undefined || typeof value !== 'object' || value === null
    ? [path]
    : Object.entries(value).flatMap(([name, inner]) => namesIn(inner, properties[name] ?? {}, `${path}${path && '.'}${name}`))

const namesOf = ({ properties }: Schema, path = ''): readonly string[] =>
  properties === undefined
    ? [path]
    : Object.entries(properties).flatMap(([name, inner]) => namesOf(inner, `${path}${path && '.'}${name}`))

test('every value that the schema knows is there with its default, and no other', () => {
  const schema = JSON.parse(files[CHART_SCHEMA] as string) as Schema
  // Options have their defaults in the agent; no others are left open.
  const isOpen = (name: string) => /^(global|resources\.claims|((helper|devices)\.)?(options|resources)\b.*)$/.test(name)
  const known = namesOf(schema).filter(name => !isOpen(name))
  const given = namesIn(load(read('manifests/chart/values.yaml')), schema).filter(name => !isOpen(name))
  expect(given.toSorted()).toEqual(known.toSorted())
})

test('a number that YAML would shorten is refused as an option, and a choice has its values', () => {
  const schema = JSON.parse(files[CHART_SCHEMA] as string) as {
    readonly properties: { readonly options: { readonly properties: Readonly<Record<string, unknown>> } }
  }
  const { properties } = schema.properties.options
  expect(properties['minimum-kernel']).toEqual({ description: OPTIONS['minimum-kernel'].does, type: 'string' })
  expect(properties['selinux-podman']).toMatchObject({ enum: ['block', 'allow'] })
  expect(properties).not.toHaveProperty('host-root')
})
