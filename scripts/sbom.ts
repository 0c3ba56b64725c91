import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { bundledPackages } from '../packaging/bundled-packages.ts'
import { type DebianPackage, debianPackages, debianRelease } from '../packaging/debian-packages.ts'
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

// What an image holds, as CycloneDX: Node, every npm package whose code the bundler took, and the packages of a database of dpkg, all
// or those named. The same text for the same sources, so without npm's number and time.
//
//   node scripts/sbom.ts [/var/lib/dpkg /usr/lib/os-release [PACKAGE ...]]
const [database, osRelease = '', ...names] = process.argv.slice(2)
const { stdout } = await execa('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], { cwd: ROOT })
const { serialNumber: _, metadata, components, dependencies, ...bom } = JSON.parse(stdout) as Bom
const { timestamp: __, tools: ___, lifecycles: ____, component, ...about } = metadata
const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
const node = components.find(each => each.name === `node-linux-${process.arch}`)
const held = new Set([...(await bundledPackages()), ...(node ? [nameOf(node)] : [])])
const kept = components.filter(each => held.has(nameOf(each)))
const refs = new Set(kept.map(each => each['bom-ref']))
const own = component as Component
const debian = database === undefined ? [] : await debianPackages(database, names)
const release = database === undefined ? '' : await debianRelease(osRelease)
const found = {
  ...bom,
  version: 1,
  metadata: {
    ...about,
    lifecycles: [{ phase: 'build' }],
    // npm takes the name from the folder.
    component: { ...own, type: 'application', name: 'berth' },
    properties: [{ name: 'berth:version', value: version }]
  },
  components: [...kept.map(withNode), ...debian.map(each => debianComponent(each, release))],
  dependencies: dependencies
    .filter(({ ref }) => refs.has(ref) || ref === own['bom-ref'])
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(each => refs.has(each)) }))
}
process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)

function nameOf({ name, version }: Component): string {
  return `${name}@${version}`
}

/** Scanners know Node itself by this name, and not npm's package of it. */
function withNode(each: Component): Component {
  return each === node ? { ...each, cpe: `cpe:2.3:a:nodejs:node.js:${each.version}:*:*:*:*:*:*:*` } : each
}

/** https://github.com/package-url/purl-spec: the version of a purl is percent-encoded. */
function debianComponent({ name, version, architecture, source, sourceVersion }: DebianPackage, release: string): Component {
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=debian-${release}`
  const properties = [{ name: 'debian:source', value: `${source} ${sourceVersion}` }]
  return { 'bom-ref': purl, type: 'library', name, version, purl, properties }
}
