import { rm } from 'node:fs/promises'
import { build } from 'esbuild'
import { ROOT } from './steps.ts'

/** The one production file. */
export const BUNDLE = `${ROOT}/dist/berth.mjs`

await rm(`${ROOT}/dist`, { recursive: true, force: true })
await build({
  absWorkingDir: ROOT,
  entryPoints: ['src/main.ts'],
  outfile: BUNDLE,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  legalComments: 'linked',
  // Some dependencies are CommonJS and call require, which a module does not have.
  banner: {
    js: "#!/usr/bin/env node\nimport{createRequire as berthRequire}from'node:module';const require=berthRequire(import.meta.url);"
  },
  logLevel: 'info'
})
