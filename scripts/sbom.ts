import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { execa } from 'execa'
import { ROOT } from './steps.ts'

interface Component {
  readonly name: string
  readonly version: string
  readonly [field: string]: unknown
}

interface Bom {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly components: readonly Component[]
  readonly [field: string]: unknown
}

// What the images hold of npm's packages, as CycloneDX, by npm itself: the same text for the same lock file, so without its number and
// its time. Development's packages are not in them.
const { stdout } = await execa('npm', ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'], {
  cwd: ROOT
})
const { serialNumber: _, metadata, ...bom } = JSON.parse(stdout) as Bom
const { timestamp: __, tools: ___, ...about } = metadata
const { version } = JSON.parse(await readFile(`${ROOT}/package.json`, 'utf8')) as { readonly version: string }
process.stdout.write(
  `${JSON.stringify({ ...bom, version: 1, metadata: { ...about, properties: [{ name: 'berth:version', value: version }] } }, null, 2)}\n`
)
