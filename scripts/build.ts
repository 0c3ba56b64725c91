import { rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { build, type Plugin } from 'esbuild'
import { ROOT } from './steps.ts'

/**
 * A bundle's imports of Node's own modules stand at its top, also those of parts that are loaded late or never, and the module loader
 * reads every export of them: for `node:http` that means all of fetch, 20 ms. Asked for by name they are loaded when they are used.
 */
const lateBuiltins: Plugin = {
  name: 'late-builtins',
  setup({ onResolve, onLoad }) {
    const names = new Set(builtinModules.flatMap(name => [name, `node:${name}`]))
    onResolve({ filter: /^[a-z]/ }, ({ path, kind }) =>
      names.has(path) && kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined
    )
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`
    }))
  }
}

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
  plugins: [lateBuiltins],
  // Some dependencies are CommonJS and call require, which a module does not have.
  banner: {
    js: "#!/usr/bin/env node\nconst require=process.getBuiltinModule('node:module').createRequire(import.meta.url);"
  },
  logLevel: 'warning'
})
