// Runs a source file on the Node 24 that npm supplies, after installing what is missing: for berth itself the packages that it runs
// with, for everything else the tools of development too. No script of a package runs while it is installed.
// This file itself must run on Node 20: it is all that a fresh clone can start.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const node = join(modules, `node-linux-${process.arch}`, 'bin', 'node')
const written = join(modules, '.package-lock.json') // npm's own list of what it installed, written last
const [file, ...rest] = process.argv.slice(2)

const read = path => JSON.parse(readFileSync(path, 'utf8'))
const hasTools =
  existsSync(written) &&
  Object.keys(read(join(root, 'package.json')).devDependencies).every(name => `node_modules/${name}` in read(written).packages)
const isCurrent =
  existsSync(node) && existsSync(written) && statSync(written).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
const needsTools = file !== 'src/main.ts'

if (process.platform !== 'linux') fail('berth looks at Linux nodes; run it on Linux.')
if (!isCurrent || (needsTools && !hasTools)) {
  // Its own words go to standard error: standard output belongs to the command, which may print JSON.
  process.stderr.write('Installing what berth needs (once) ...\n')
  // Node itself is an optional package. Tools that are there stay: whoever has them is a developer, and will want them again.
  const which = ['--include=optional', needsTools || hasTools ? '--include=dev' : '--omit=dev']
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', ...which, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2]
  })
  if (npm.status !== 0) fail(`npm ci ended with ${npm.error?.message ?? `status ${npm.status}`}.`)
  if (!existsSync(node)) fail(`there is no Node 24 for ${process.arch}; berth runs on x64 and arm64.`)
}

const child = spawn(node, [join(root, file), ...rest], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
