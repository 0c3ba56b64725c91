import { builtinModules } from 'node:module'
import { join } from 'node:path'
import type { OnLoadResult, Plugin } from 'esbuild'
import { ROOT } from './root.ts'

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

/** What client-node imports at its top, and only a kubeconfig needs, or a user of OIDC, of a cloud's login or of a proxy. */
const LATE = ['js-yaml', 'hpagent', 'jsonpath-plus', 'openid-client', 'rfc4648', 'socks', 'socks-proxy-agent']

/** These packages are evaluated when something of them is first used: a pod with credentials of its own uses none of them. */
export const latePackages: Plugin = {
  name: 'late-packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path, kind, resolveDir }) =>
      LATE.includes(path) && kind === 'import-statement' ? { path, namespace: 'late', pluginData: resolveDir } : undefined
    )
    onLoad({ filter: /.*/, namespace: 'late' }, async ({ path, pluginData: resolveDir }) => ({
      resolveDir,
      contents: Object.keys(await import(path))
        .filter(name => name !== 'default' && name !== 'module.exports')
        .map(name => `Object.defineProperty(exports, '${name}', { enumerable: true, get: () => require('${path}').${name} })`)
        .join('\n')
    }))
  }
}

/** berth.mjs loads the device plugin from its own program, which stands beside it. */
export const devicesApart: Plugin = {
  name: 'devices-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/commands\/devices\.ts$/ }, ({ importer }) =>
      importer === join(ROOT, 'src/main.ts') ? { path: './devices.mjs', external: true } : undefined
    )
  }
}

const UNDICI = join(ROOT, 'node_modules/undici/lib')
const CLIENT = join(ROOT, 'node_modules/@kubernetes/client-node/dist')
const INFORMATION = join(ROOT, 'node_modules/systeminformation/lib')

/**
 * What stands for an index that loads its whole package, a megabyte that is never called: undici's cache, mocks and web sockets,
 * client-node's 700 models, of which we use the types, and what systeminformation knows of Bluetooth and printers. Only what is named
 * here can be imported; the build fails on anything else.
 */
const SLIM: Readonly<Record<'undici' | 'client-node' | 'systeminformation', OnLoadResult>> = {
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
      export { Agent, ProxyAgent, request }`
  },
  'client-node': {
    contents: `
      // Named by makeApiClient of KubeConfig, which nothing calls.
      export const [createConfiguration, ServerConfiguration] = []`
  },
  systeminformation: {
    resolveDir: INFORMATION,
    contents: `
      import { cpu } from './cpu.js'
      import { mem } from './memory.js'
      import { blockDevices } from './filesystem.js'
      export default { cpu, mem, blockDevices }`
  }
}

/**
 * undici parses HTTP/1 with WebAssembly, and brings it four times: by llhttp and by Milo, which only an environment variable chooses,
 * and each with SIMD too, without which it falls back to the one that every processor runs.
 */
const SPARE_PARSERS = /undici\/lib\/(milo\/(no-)?simd|llhttp\/llhttp_simd-wasm)\.js$/

export const slimIndexes: Plugin = {
  name: 'slim-indexes',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(undici|systeminformation)$/ }, ({ path }) => ({ path, namespace: 'slim' }))
    onLoad({ filter: SPARE_PARSERS }, () => ({ contents: "throw new Error('not in the bundle')" }))
    onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer === join(CLIENT, 'config.js') ? { path: 'client-node', namespace: 'slim' } : undefined
    )
    onLoad({ filter: /.*/, namespace: 'slim' }, ({ path }) => SLIM[path as keyof typeof SLIM])
  }
}
