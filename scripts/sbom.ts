import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { bundledPackages } from './bundled-packages.ts'
import { ROOT } from './steps.ts'

interface Component {
  readonly name: string
  readonly version: string
  readonly 'bom-ref': string
  readonly [field: string]: unknown
}

interface Bom {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
  readonly [field: string]: unknown
}

// What the images hold of npm's packages, as CycloneDX: Node, and every package whose code the bundler took. npm itself says what is known
// of each; which of them are only for development it cannot tell where one is both. The same text for the same sources, so without
// npm's number and time.
const { stdout } = await execa('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], { cwd: ROOT })
const { serialNumber: _, metadata, components, dependencies, ...bom } = JSON.parse(stdout) as Bom
const { timestamp: __, tools: ___, ...about } = metadata
const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
const held = new Set([
  ...(await bundledPackages()),
  ...components.map(nameOf).filter(name => name.startsWith(`node-linux-${process.arch}@`))
])
const kept = components.filter(component => held.has(nameOf(component)))
const refs = new Set(kept.map(component => component['bom-ref']))
const own = about['component'] as { readonly 'bom-ref': string }
const found = {
  ...bom,
  version: 1,
  metadata: { ...about, properties: [{ name: 'berth:version', value: version }] },
  components: kept,
  dependencies: dependencies
    .filter(({ ref }) => refs.has(ref) || ref === own['bom-ref'])
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(each => refs.has(each)) }))
}
process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)

function nameOf({ name, version }: Component): string {
  return `${name}@${version}`
}
