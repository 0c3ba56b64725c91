import { rm } from 'node:fs/promises'
import { build } from 'esbuild'
import { lateBuiltins, slimIndexes } from './slim.ts'
import { ROOT } from './steps.ts'

await rm(`${ROOT}/dist`, { recursive: true, force: true })
await build({
  absWorkingDir: ROOT,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/berth.mjs',
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  legalComments: 'linked',
  plugins: [lateBuiltins, slimIndexes],
  // Some dependencies are CommonJS and call require, which a module does not have.
  banner: {
    js: "#!/usr/bin/env node\nconst require=process.getBuiltinModule('node:module').createRequire(import.meta.url);"
  },
  logLevel: 'warning'
})
