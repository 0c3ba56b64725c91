import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { execa } from 'execa'
import { loadAll } from 'js-yaml'
import { type GoPrograms, goPrograms, readPins } from './go-programs.ts'
import { BASE, type Manifest } from './manifests.ts'

const here = join(import.meta.dirname, 'kustomize')

/** All objects of the base with these components, as an operator's kustomization would have them. */
export async function render(...components: readonly string[]): Promise<readonly Manifest[]> {
  const program = join(await goPrograms(await readRecipe()), 'kustomize')
  const directory = await mkdtemp(join(tmpdir(), 'berth-kustomize-'))
  try {
    // It takes no absolute paths.
    const from = (path: string) => relative(directory, path)
    const wanted = {
      resources: [from(BASE)],
      components: components.map(name => from(join(BASE, '../components', name)))
    }
    await writeFile(join(directory, 'kustomization.yaml'), JSON.stringify(wanted))
    const { stdout } = await execa(program, ['build', directory])
    return loadAll(stdout) as Manifest[]
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function readRecipe(): Promise<GoPrograms> {
  const { versionOf, hash } = await readPins(here)
  const version = versionOf('sigs.k8s.io/kustomize/kustomize/v5')
  return {
    module: here,
    key: `kustomize-${version}_${process.arch}_${hash()}`,
    programs: [{ name: 'kustomize', package: 'sigs.k8s.io/kustomize/kustomize/v5', flags: '-s -w' }],
    about: `kustomize ${version} (once; about 15 seconds on two cores)`,
    otherwise: ''
  }
}
