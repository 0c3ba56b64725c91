import { chmod, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { build } from 'esbuild'
import { packagesOf } from '../packaging/bundled-packages.ts'
import { embeddedExamples } from '../packaging/examples.ts'
import { notice, packageNotices } from '../packaging/notices.ts'
import { devicesApart, lateBuiltins, latePackages, slimIndexes } from '../packaging/slim.ts'
import { ROOT } from './steps.ts'

const PROGRAMS = ['berth.mjs', 'devices.mjs']

const INTRODUCTION = `berth is licensed under the Apache License, Version 2.0. Its programs contain code of the packages below; each is
followed by its own licence and copyright notices. In an image of berth Node.js and parts of Debian follow them.
`

// Whoever runs the one before goes on with it until the new one is whole.
const made = `${ROOT}/dist/made-${process.pid}`
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: { berth: 'src/main.ts', devices: 'src/devices-main.ts' },
  outdir: made,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  legalComments: 'external',
  plugins: [embeddedExamples, devicesApart, lateBuiltins, latePackages, slimIndexes],
  // Some dependencies are CommonJS and call require, which a module does not have.
  banner: {
    js: "#!/usr/bin/env node\nconst require=process.getBuiltinModule('node:module').createRequire(import.meta.url);"
  },
  logLevel: 'warning',
  metafile: true
})
await writeFile(`${made}/berth.meta.json`, JSON.stringify(metafile))
// Some packages hold code of others, which only a comment tells.
const legal = PROGRAMS.map(name => `${made}/${name}.LEGAL.txt`)
const comments = notice(
  'Comments in these packages',
  await Promise.all(legal.map(path => readFile(path, 'utf8').catch(() => '')))
)
const notices = await packageNotices(await packagesOf(metafile))
await writeFile(`${made}/THIRD-PARTY-NOTICES.txt`, `${INTRODUCTION}\n${notices}${comments}`)
await Promise.all(legal.map(path => rm(path, { force: true })))
for (const name of PROGRAMS) {
  // esbuild leaves other characters than ASCII in regular expressions, and with a single one V8 holds all the source by two bytes each.
  const text = await readFile(`${made}/${name}`, 'utf8')
  await writeFile(
    `${made}/${name}`,
    text.replace(/[^\0-\x7f]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  )
  // A link to berth.mjs named kubectl-berth is a plugin of kubectl.
  await chmod(`${made}/${name}`, 0o755)
}
for (const name of await readdir(made)) await rename(`${made}/${name}`, `${ROOT}/dist/${name}`)
await rm(made, { recursive: true })
