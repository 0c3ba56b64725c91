import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Source, source } from './source-code.ts'

const SRC = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'src')

const SOURCES: readonly Source[] = globSync('**/*.ts', { cwd: SRC, exclude: ['**/*.d.ts'] })
  .toSorted()
  .map(path => source(path, readFileSync(join(SRC, path), 'utf8')))

/** Every room, in the order of events, and why nothing in it may look at a room after it. */
const ROOMS = {
  host: 'it answers questions about a node, and knows nothing of what is asked for',
  facts: 'a fact is what was seen; what follows from it is judged elsewhere',
  trials: 'it tries on the node what looking cannot tell, in a place of its own that it removes',
  verdicts: 'judging never looks: whoever judges sees facts and the policy only',
  remedies: 'a plan follows from facts and verdicts, and never from who asks or who is told',
  cycle: 'one pass gives one value, and does not know who reads it',
  devices: 'it offers devices to pods, and knows nothing of labels',
  kubernetes: 'it carries what it is given to the API and back, and does not decide what is written',
  cli: 'it turns arguments into a configuration, and opens what the options name',
  helper: 'it does what only root can do, and leaves its findings in one file',
  'node-sync': 'it makes the Node agree with a snapshot, whoever took it',
  report: 'it formats a snapshot for people',
  web: 'it serves what the agent knows',
  fleet: 'it reads what agents wrote to their Nodes',
  agent: 'it joins the rooms before it into one daemon',
  commands: 'a command takes its configuration as a value'
} as const
type Room = keyof typeof ROOMS
const ORDER = Object.keys(ROOMS) as Room[]

/** The files that lie in no room stand around them: the first ones may be used by all and use no room, the others use the rooms. */
const OUTSIDE: Readonly<Record<string, number>> = {
  'version.ts': -1,
  'printable.ts': -2,
  'redact.ts': -2,
  'log-level.ts': -2,
  'log.ts': -1,
  'terminal-layout.ts': -1,
  'paint.ts': -1,
  'growing-wait.ts': -1,
  'program.ts': ORDER.length,
  'main.ts': ORDER.length,
  'devices-main.ts': ORDER.length
}

function place(path: string): number {
  const [room = ''] = path.split('/')
  if (ORDER.includes(room as Room)) return ORDER.indexOf(room as Room)
  const found = OUTSIDE[path]
  if (found === undefined) throw new Error(`src/${path} lies in no room: name it in the laws, or put it into ${ORDER.join(', ')}`)
  return found
}

const reason = (path: string): string =>
  ROOMS[path.split('/')[0] as Room] ?? 'what lies outside the rooms is used from the right only'

/** Breaches as sentences, so that a failure explains itself; there should be none. */
const breaches = (
  files: readonly Source[],
  breach: (file: Source) => readonly string[] | string | undefined
): readonly string[] => files.flatMap(file => [breach(file) ?? []].flat().map(what => `src/${file.path}: ${what}`))

const within = (...folders: readonly string[]) => SOURCES.filter(({ path }) => folders.some(folder => path.startsWith(folder)))
const except = (...allowed: readonly string[]) => SOURCES.filter(({ path }) => !allowed.some(name => path.startsWith(name)))

const importing = (pattern: RegExp, why: string) => (file: Source) =>
  file.imports.filter(name => pattern.test(name)).map(name => `imports ${name}; ${why}`)
const loading = (pattern: RegExp, why: string) => (file: Source) =>
  file.loads.filter(name => pattern.test(name)).map(name => `loads ${name}; ${why}`)
const saying = (pattern: RegExp, why: string) => (file: Source) => {
  const [found] = pattern.exec(file.bare) ?? []
  return found === undefined ? undefined : `says "${found.trim()}"; ${why}`
}

function wrongWay(file: Source): readonly string[] {
  return file.imports
    .filter(name => name.startsWith('.'))
    .map(name => normalize(join(dirname(file.path), name)))
    .filter(target => !target.startsWith('..') && place(target) > place(file.path))
    .map(target => `imports ${target}, which comes after it; ${reason(file.path)}`)
}

describe('the laws of the rooms', () => {
  test('every room is there to be read, and every import of it was seen', () => {
    for (const room of ORDER) expect(within(`${room}/`).length).toBeGreaterThan(0)
    for (const { path, imports, bare } of SOURCES) {
      const statements = bare.matchAll(/^import\b(?! *\()|^export\b(?:[^=\n(]|\{[^}]*\})*\bfrom\b|\bimport\s*\(/gm)
      expect([path, imports.length]).toEqual([path, [...statements].length])
    }
  })

  test('an import points to the left, or stays in its room', () => {
    expect(breaches(SOURCES, wrongWay)).toEqual([])
  })

  test('no file imports itself through others, not even for a type', () => {
    expect(circles(SOURCES)).toEqual([])
  })

  test('only cli/config.ts reads the environment, and only it, program.ts and main.ts the arguments and the exit', () => {
    expect(
      breaches(
        except('cli/config.ts'),
        saying(/\bprocess\s*\.\s*env\b|\benv\b[^'\n]*\bfrom ''/, 'options are parsed in one place, and handed on as values')
      )
    ).toEqual([])
    expect(
      breaches(
        except('cli/config.ts', 'program.ts', 'main.ts'),
        saying(/\bprocess\s*\.\s*(argv|exit|exitCode)\b/, 'a command returns its status to program.ts')
      )
    ).toEqual([])
  })

  test('judging and planning are pure: no waiting, nothing of the system, no clock, no chance', () => {
    const pure = [...within('verdicts/'), ...SOURCES.filter(({ path }) => /^remedies\/([\w-]+\/)?plan\.ts$/.test(path))]
    expect(pure.length).toBeGreaterThan(5)
    expect(
      breaches(
        pure,
        saying(
          /\b(async|await|Promise|setTimeout|setInterval|queueMicrotask)\b/,
          'the same facts must give the same answer, at once'
        )
      )
    ).toEqual([])
    expect(breaches(pure, importing(/^[^.]|\/(log|config)\.ts$/, 'a rule needs facts and the policy only'))).toEqual([])
    expect(
      breaches(
        pure,
        saying(/\b(Date|Math\.random|performance|process|console|globalThis|fetch)\b/, 'a rule sees facts and the policy only')
      )
    ).toEqual([])
  })

  test('only the host and the device plugin touch the node: files, children and systeminformation', () => {
    const touching = /^(node:)?(fs|child_process)(\/|$)|^(execa|systeminformation)$/
    // Commands open the file that an option names, which is the operator's and not the node's.
    // The log writes to standard error at once. A source of shiftfs is the operator's too, and is built where no node is touched.
    const building = ['source', 'scratch', 'build'].map(name => `remedies/shiftfs/${name}.ts`)
    // The examples of workspaces are our own; in the bundle they are text.
    const own = ['commands/template/examples.ts', 'log.ts']
    const allowed = [
      'host/',
      // It asks for a device and two sockets twice a second. Nothing follows from them that a recording could replay.
      'devices/',
      'kubernetes/',
      'cli/open-host.ts',
      'commands/observe-node.ts',
      'commands/record.ts',
      ...own,
      ...building
    ]
    expect(
      breaches(
        except(...allowed),
        importing(touching, 'everything else asks a HostReader, so that it can be recorded and replayed')
      )
    ).toEqual([])
    expect(
      breaches(except('host/'), importing(/^(execa|systeminformation|(node:)?child_process)$/, 'only the host runs programs'))
    ).toEqual([])
  })

  test('detecting needs nothing but its sources', () => {
    expect(
      breaches(
        within('facts/', 'cycle/'),
        // What parses a text, or checks a form, is no source.
        importing(/^(?!smol-toml$|zod\/mini$)[^.]/, 'a detector asks its sources; clock and chance are parameters')
      )
    ).toEqual([])
    expect(
      breaches(
        within('facts/', 'cycle/'),
        saying(/\b(Date\.now|new Date|Math\.random|performance\.now|setTimeout)\b/, 'clock and chance are parameters')
      )
    ).toEqual([])
  })

  test('only kubernetes/ talks to the API, and only it and web/ open sockets', () => {
    expect(breaches(except('kubernetes/'), loading(/^(undici$|node:tls$)/, 'there is one connection'))).toEqual([])
    expect(
      breaches(
        // Bottlerocket's API and the sockets of device plugins are sockets of the node itself.
        except('kubernetes/', 'web/', 'devices/', 'remedies/user-namespaces/bottlerocket-api.ts'),
        importing(/^node:(https?2?|net|dgram)$/, 'nothing else is reached over the network')
      )
    ).toEqual([])
  })

  test('one file loads client-node, and one more names its types', () => {
    const [credentials, models] = ['kubernetes/credentials/client-node.ts', 'kubernetes/models.ts']
    expect(breaches(except(credentials), loading(/^@kubernetes\//, 'it is used for credentials alone'))).toEqual([])
    expect(breaches(except(credentials, models), importing(/^@kubernetes\//, 'types of objects are in models.ts'))).toEqual([])
  })

  test('nothing prints but program.ts, through the function that a command is given', () => {
    expect(breaches(SOURCES, saying(/\bconsole\s*\./, 'standard output belongs to the report'))).toEqual([])
    expect(
      breaches(
        except('program.ts', 'log.ts'),
        saying(/\bprocess\s*\.\s*(stdout|stderr)\s*\.\s*write\b/, 'a command prints with what it is given')
      )
    ).toEqual([])
  })
})

describe('the style of the house', () => {
  test('has no enum, no any, no namespace, and no default export', () => {
    expect(breaches(SOURCES, saying(/^\s*(export\s+)?(const\s+|declare\s+)?enum\s/m, 'a union of texts does it'))).toEqual([])
    expect(
      breaches(SOURCES, saying(/[:<,|&(]\s*any\b(?!\s*[:(])|\bas any\b|\bany\[\]/, 'unknown says the same, and is checked'))
    ).toEqual([])
    expect(
      breaches(SOURCES, saying(/^\s*(export\s+)?(declare\s+)?(namespace|module)\s+\w+\s*\{/m, 'a file is a module'))
    ).toEqual([])
    expect(breaches(SOURCES, saying(/^export default\b/m, 'a name is the same everywhere'))).toEqual([])
  })

  test('has no classes but errors', () => {
    expect(
      breaches(
        SOURCES,
        saying(/\bclass\s+\w+\s*(?!\w*\s*extends\s+\w*Error\b)(?:extends\s+\w+\s*)?\{/, 'values and functions do it')
      )
    ).toEqual([])
  })

  test('throws errors only, and silences no check', () => {
    expect(breaches(SOURCES, saying(/\bthrow\s+(['"`{]|\d)/, 'only an Error has a stack'))).toEqual([])
    const silenced = SOURCES.filter(({ path }) => /@ts-(ignore|nocheck|expect-error)/.test(readFileSync(join(SRC, path), 'utf8')))
    expect(silenced.map(({ path }) => path)).toEqual([])
  })

  test('has no file that is named after nothing', () => {
    // One command is called so by its users.
    const nameless = except('commands/helper.ts').filter(({ path }) =>
      /(^|\/)(utils?|helpers?|common|types|lib|misc|index)\.ts$/.test(path)
    )
    expect(nameless.map(({ path }) => path)).toEqual([])
  })
})

/** The circles of imports, each as `a.ts → b.ts → a.ts`. Imports of types and dynamic imports count too. */
function circles(files: readonly Source[]): readonly string[] {
  const imported = new Map(files.map(file => [file.path, importedBy(file)]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (trail.includes(path) || done.has(path)) return
    for (const target of imported.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of imported.keys()) visit(path, [])
  return found
}

/** The files below src that a file imports. */
const importedBy = ({ path, imports }: Source): readonly string[] =>
  imports.filter(name => name.startsWith('.')).map(name => normalize(join(dirname(path), name)))

describe('the reader of these laws', () => {
  const read = (text: string) => source('facts/x.ts', text)

  test.each([
    ["import { a } from './a.ts'", ['./a.ts']],
    ["import type { A } from '../b/a.ts'", ['../b/a.ts']],
    ["import {\n  a,\n  type B\n} from './a.ts'", ['./a.ts']],
    ["import './a.ts'", ['./a.ts']],
    ["export { a } from './a.ts'", ['./a.ts']],
    ["export * from './a.ts'", ['./a.ts']],
    ["const a = await import('./a.ts')", ['./a.ts']],
    ["import m from '../package.json' with { type: 'json' }", ['../package.json']],
    ["// import { a } from './a.ts'\n/* import './b.ts' */", []],
    ['const text = "import(\'x\')"', []],
    [`const text = \`x \${(await import('./a.ts')).A} \${\`\${b}\`}\``, ['./a.ts']]
  ])('finds the imports of %j', (text, imports) => {
    expect(read(text).imports).toEqual(imports)
  })

  test('knows what is loaded from what is only a type', () => {
    const { imports, loads } = read(
      "import type {\n  A\n} from './a.ts'\nimport { type B, c } from './b.ts'\nexport type { D } from './d.ts'"
    )
    expect(imports).toEqual(['./a.ts', './b.ts', './d.ts'])
    expect(loads).toEqual(['./b.ts'])
  })

  test('knows a comment and a text from code', () => {
    expect(saying(/process\.env/, '')(read("// process.env\nconst a = 'process.env'"))).toBeUndefined()
    expect(saying(/process\.env/, '')(read('const a = process.env'))).toContain('process.env')
    expect(saying(/process\.env/, '')(read("const r = /'/\nconst a = process.env"))).toContain('process.env')
  })

  test('sees an import that points to the right, and says why it is banned', () => {
    expect(wrongWay({ ...read("import type { A } from '../verdicts/a.ts'"), path: 'facts/x.ts' })).toEqual([
      `imports verdicts/a.ts, which comes after it; ${ROOMS.facts}`
    ])
    expect(wrongWay({ ...read("await import('../cli/config.ts')"), path: 'host/x.ts' })).toHaveLength(1)
    expect(wrongWay({ ...read("import { a } from '../host/a.ts'"), path: 'facts/x.ts' })).toEqual([])
  })

  test.each([
    ['values', "import { a } from './b.ts'"],
    ['types', "import type { A } from './b.ts'"],
    ['types that are exported again', "export type { A } from './b.ts'"],
    ['files that are loaded later', "await import('./b.ts')"]
  ])('finds a circle of %s', (_, text) => {
    const files = [source('host/a.ts', text), source('host/b.ts', "import type { C } from './c.ts'")]
    expect(circles([...files, source('host/c.ts', "import { a } from '../host/a.ts'")])).toEqual([
      'host/a.ts → host/b.ts → host/c.ts → host/a.ts'
    ])
    expect(circles(files)).toEqual([])
  })

  test('takes no file that lies in no room', () => {
    expect(() => place('helpers.ts')).toThrow('lies in no room')
    expect(() => place('utils/a.ts')).toThrow('lies in no room')
  })
})
