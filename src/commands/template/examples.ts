import { readFileSync } from 'node:fs'

/** A file of `manifests/workspaces`. The build puts them into the bundle, in place of this function. */
export const readExample = (name: string): string =>
  readFileSync(new URL(`../../../manifests/workspaces/${name}`, import.meta.url), 'utf8')
