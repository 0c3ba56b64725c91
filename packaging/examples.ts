import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { ROOT } from './root.ts'

/** The examples of workspaces. */
export const EXAMPLES = join(ROOT, 'manifests/workspaces')

/** Coder templates for a host with Docker and no Kubernetes. `berth template` is about nodes of a cluster and does not print them. */
export const DOCKER_HOST_EXAMPLES = ['docker-privileged.tf', 'docker-sysbox.tf'] as const

/** Whether `berth template` prints the example of this file name, as it is or changed. */
export const isOfKubernetes = (name: string): boolean => !(DOCKER_HOST_EXAMPLES as readonly string[]).includes(name)

/** In a bundle the examples are text: it is one file, and there is no checkout beside it. */
export const embeddedExamples: Plugin = {
  name: 'embedded-examples',
  setup({ onLoad }) {
    onLoad({ filter: /\/commands\/template\/examples\.ts$/ }, async () => {
      const names = (await readdir(EXAMPLES)).filter(isOfKubernetes)
      const texts = await Promise.all(names.map(async name => [name, await readFile(join(EXAMPLES, name), 'utf8')] as const))
      return {
        contents: `const files = ${JSON.stringify(Object.fromEntries(texts))}; export const readExample = name => files[name]`
      }
    })
  }
}
