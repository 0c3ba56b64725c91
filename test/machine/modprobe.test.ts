import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readModprobeRules } from '../../src/facts/kernel-modules/modprobe.ts'
import { MODULE_LINE, parseModulesBuiltin, parseModulesDep } from '../../src/facts/kernel-modules/modules-dep.ts'
import { MODULE_NAMES, type ModuleName } from '../../src/facts/kernel-modules/names.ts'
import { judgeModule } from '../../src/facts/kernel-modules/state.ts'
import { type HostReader, matchingLines } from '../../src/host/host.ts'
import { pretendHost } from '../unit/host/pretend.ts'
import { bootMachine, type Machine } from './machine.ts'

/** What the kernel asks modprobe for, where it is not the module's own name: measured with Docker, moby 29, on 6.1 and 6.12. */
const ASKED: Partial<Record<ModuleName, string>> = {
  bridge: 'rtnl-link-bridge',
  fuse: 'char-major-10-229',
  nft_chain_nat: 'nft-chain-2-nat',
  nft_compat: 'nfnetlink-subsys-11',
  overlay: 'fs-overlay',
  veth: 'rtnl-link-veth',
  xt_MASQUERADE: 'ipt_MASQUERADE',
  xt_addrtype: 'ipt_addrtype',
  xt_conntrack: 'ipt_conntrack',
  xt_nat: 'ipt_DNAT',
  xt_tcpudp: 'ipt_tcp'
}

/** Files of modprobe's configuration, `null` for a link to /dev/null. */
type Files = Readonly<Record<string, string | null>>

const CASES: readonly (readonly [string, Files])[] = [
  ['nothing', {}],
  ['blacklists of all', { '/etc/modprobe.d/t.conf': MODULE_NAMES.map(name => `blacklist ${name}\n`).join('') }],
  ['a blacklist with hyphens', { '/etc/modprobe.d/t.conf': 'blacklist nft-compat\nblacklist nf-tables\n' }],
  ['a blacklist of what others need', { '/etc/modprobe.d/t.conf': 'blacklist x_tables\nblacklist nf_nat\n' }],
  ['an install line that fails', { '/etc/modprobe.d/t.conf': 'install veth /bin/false\n' }],
  ['an install line that does nothing', { '/run/modprobe.d/t.conf': 'install veth /usr/bin/true\n' }],
  ['an install line with a comment', { '/usr/lib/modprobe.d/t.conf': 'install veth /bin/false # by order\n' }],
  ['an install line that exits', { '/usr/local/lib/modprobe.d/t.conf': 'install nft-compat exit 1\n' }],
  ['install lines with wildcards', { '/etc/modprobe.d/t.conf': 'install iptable_* /bin/false\ninstall v?th /bin/true\n' }],
  ['an install line for what others need', { '/etc/modprobe.d/t.conf': 'install x_tables /bin/false\n' }],
  ['aliases that are off', { '/etc/modprobe.d/t.conf': 'alias veth off\nalias ip_tables off\nalias iptable_nat off\n' }],
  ['a file that is no configuration', { '/etc/modprobe.d/t': 'install veth /bin/false\n' }],
  ['a file masked by an empty one', { '/usr/lib/modprobe.d/t.conf': 'install veth /bin/false\n', '/run/modprobe.d/t.conf': '' }],
  ['a file masked by a link', { '/usr/lib/modprobe.d/t.conf': 'install veth /bin/false\n', '/etc/modprobe.d/t.conf': null }],
  [
    'a file masked by another of its name',
    { '/run/modprobe.d/t.conf': 'install veth /bin/false\n', '/etc/modprobe.d/t.conf': '# nothing\n' }
  ]
]

let machine: Machine
beforeAll(async () => {
  machine = await bootMachine({ kernel: '6.1' })
})
afterAll(() => machine?.kill())

/** The machine's files as the detector asks for them. */
function files(): HostReader {
  const asked = async (...command: readonly string[]): Promise<string | undefined> => {
    const { status, stdout } = await machine.run(command)
    return status === 0 ? stdout : undefined
  }
  const read = (path: string) => asked('cat', path)
  return pretendHost({
    read,
    lines: async (path, pattern) => matchingLines(path, (await read(path)) ?? '', pattern),
    list: async path => (await asked('ls', '-1A', path))?.split('\n').filter(name => name !== ''),
    realpath: async path => (await asked('realpath', '-e', path))?.trimEnd(),
    stat: async path => {
      const found = await asked('stat', '-L', '-c', '%t:%T', path)
      if (found === undefined) return undefined
      const device = found
        .trim()
        .split(':')
        .map(part => Number.parseInt(part, 16))
        .join(':')
      return { kind: 'file', mode: 0, device }
    }
  })
}

/** What berth says of each module, of which none is loaded. */
async function loadable(): Promise<readonly ModuleName[]> {
  const host = files()
  const folder = `/lib/modules/${machine.release}`
  const sources = {
    loaded: new Map(),
    fileSystems: new Set<string>(),
    sysModules: new Set<string>(),
    builtin: { ok: true, value: parseModulesBuiltin(await lines(host, `${folder}/modules.builtin`)) },
    dep: { ok: true, value: parseModulesDep(await lines(host, `${folder}/modules.dep`)) },
    disabled: { ok: true, value: false },
    rules: { ok: true, value: await readModprobeRules(host) },
    kernelBlacklist: { ok: true, value: new Set<string>() }
  } as const
  return MODULE_NAMES.filter(name => judgeModule(sources, name).state === 'loadable')
}

const lines = async (host: HostReader, path: string): Promise<readonly string[]> => (await host.lines(path, MODULE_LINE)) ?? []

/** What modprobe itself would load, asked as the kernel asks. */
async function loaded(): Promise<readonly ModuleName[]> {
  const questions = MODULE_NAMES.map(name => `echo "== ${name}"; modprobe -n -v ${ASKED[name] ?? name} 2>/dev/null; true`)
  const answers = (await machine.must(questions.join('\n'))).split('== ').slice(1)
  return answers.flatMap(answer => {
    const [name, ...commands] = answer.trim().split('\n') as [ModuleName, ...string[]]
    // A command in place of a module that it needs stops it too.
    const isStopped = commands.some(command => command.startsWith('install '))
    const isLoaded = commands.some(command => command.replaceAll('-', '_').includes(`/${name}.ko`))
    return isLoaded && !isStopped ? [name] : []
  })
}

describe('what modprobe would load', () => {
  test.each(CASES)('is what berth says: %s', { timeout: 120_000 }, async (_, given) => {
    for (const [path, text] of Object.entries(given)) {
      await machine.must(`mkdir -p "$(dirname ${path})"`)
      if (text === null) await machine.must(['ln', '-s', '/dev/null', path])
      else await machine.write(path, text)
    }
    try {
      const expected = (await loaded()).filter(name => name !== 'nf_conntrack' && name !== 'shiftfs')
      expect((await loadable()).filter(name => name !== 'nf_conntrack')).toEqual(expected)
      expect(expected.length).toBeGreaterThan(0)
    } finally {
      await machine.must(['rm', '-f', ...Object.keys(given)])
    }
  })
})
