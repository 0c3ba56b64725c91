import { builtinModules } from 'node:module'
import { join } from 'node:path'
import type { OnLoadResult, Plugin } from 'esbuild'
import { ROOT } from './steps.ts'

/**
 * A bundle's imports of Node's own modules stand at its top, also those of parts that are loaded late or never, and the module loader
 * reads every export of them: for `node:http` that means all of fetch, 20 ms. Asked for by name they are loaded when they are used.
 */
export const lateBuiltins: Plugin = {
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

const UNDICI = join(ROOT, 'node_modules/undici/lib')
const CLIENT = join(ROOT, 'node_modules/@kubernetes/client-node/dist')

/**
 * What stands for an index that loads its whole package, a megabyte that is never called: undici's cache, mocks and web sockets, and
 * client-node's 700 models, of which we use the types. Only what is named here can be imported; the build fails on anything else.
 */
const SLIM: Readonly<Record<'undici' | 'client-node', OnLoadResult>> = {
  undici: {
    resolveDir: UNDICI,
    contents: `
      import Agent from './dispatcher/agent.js'
      import ProxyAgent from './dispatcher/proxy-agent.js'
      import Dispatcher from './dispatcher/dispatcher.js'
      import ask from './api/api-request.js'
      Dispatcher.prototype.request = ask
      const request = (url, { dispatcher = new Agent(), ...options }) => {
        const { origin, pathname, search } = new URL(url)
        return dispatcher.request({ method: 'GET', ...options, origin, path: pathname + search })
      }
      export { Agent, ProxyAgent, request }
      // Named by a module of client-node that nothing calls.
      export const fetch = undefined`
  },
  'client-node': {
    resolveDir: join(CLIENT, 'gen'),
    contents: `
      export { createConfiguration } from './configuration.js'
      export { ServerConfiguration } from './servers.js'`
  }
}

export const slimIndexes: Plugin = {
  name: 'slim-indexes',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'slim' }))
    onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer === join(CLIENT, 'config.js') ? { path: 'client-node', namespace: 'slim' } : undefined
    )
    onLoad({ filter: /.*/, namespace: 'slim' }, ({ path }) => SLIM[path as keyof typeof SLIM])
  }
}
