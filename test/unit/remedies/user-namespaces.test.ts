import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HostError } from '../../../src/host/host.ts'
import type { HostWriter } from '../../../src/host/writer.ts'
import { JOURNAL, readJournal } from '../../../src/remedies/journal.ts'
import { pacedUserNamespaces } from '../../../src/remedies/user-namespaces/apply.ts'
import { unstoredLimits } from '../../../src/remedies/user-namespaces/limit.ts'
import { distro, factsOf } from '../node-facts.ts'
import { bottlerocket, type Fault, type Node } from './bottlerocket-server.ts'
import { kernelHost } from './kernel-host.ts'

const DOT = 'user.max_user_namespaces'
const SLASH = 'user/max_user_namespaces'
const BOTTLEROCKET = factsOf({ distro: distro('bottlerocket', '1.47.0') })
const terms = { maxUserNamespaces: 65_536 }
/** Sleeps a tenth of the time. */
const remedy = pacedUserNamespaces(milliseconds => wait(milliseconds / 10))
const apply = (node: Pick<Node, 'root'>, more = terms) => remedy.apply(kernelHost(node.root), BOTTLEROCKET, more)
const undo = ({ root }: Pick<Node, 'root'>) => remedy.undo(kernelHost(root), terms)
const entryOf = async ({ root }: Pick<Node, 'root'>) => (await readJournal(kernelHost(root))).sysctls?.[DOT]
const count = (node: Node, what: string) => node.calls.filter(({ method, path }) => `${method} ${path}` === what).length
const COMMIT = 'POST /tx/commit_and_apply'
const on =
  (what: string, ...faults: readonly (Fault | undefined)[]): Node['fault'] =>
  ({ method, path }) =>
    `${method} ${path}` === what ? (faults as (Fault | undefined)[]).shift() : undefined
const only = (...names: readonly string[]) => new Map(names.map(name => [name, '65536']))
const failing =
  (code: string, of: 'put' | 'write') =>
  (root: string): HostWriter => ({
    ...kernelHost(root),
    [of]: (path: string) => Promise.reject(new HostError(path, code))
  })

describe('on a stand-in for Bottlerocket', () => {
  test('the limit is raised through the API, and stays after a reboot', async () => {
    const node = await bottlerocket()
    expect(await apply(node)).toEqual({
      failure: undefined,
      did: 'set user.max_user_namespaces through the Bottlerocket API: the API has "65536", the kernel 65536',
      persistent: true,
      tail: ''
    })
    expect([node.kernel(), node.live]).toEqual([65_536, only(DOT)])
    expect(node.pending.size).toBe(0)
    expect(await entryOf(node)).toEqual({ from: 0, to: 65_536, way: 'bottlerocket' })
  })

  test('nothing is staged if kernel and API have enough', async () => {
    const node = await bottlerocket(70_000)
    node.live.set(DOT, '65536')
    expect(await apply(node)).toMatchObject({
      failure: undefined,
      persistent: true,
      did: expect.stringContaining('staged nothing')
    })
    expect(node.calls.every(({ method }) => method === 'GET')).toBe(true)
    expect(await entryOf(node)).toBeUndefined()
  })

  test.each([
    ['both spellings, where one is lower', { [DOT]: '65536', [SLASH]: '2222' }, [DOT, SLASH]],
    ['both, where only the slash form is there', { [SLASH]: '0' }, [DOT, SLASH]],
    ['the dotted one only, where no other is there', { [DOT]: '0' }, [DOT]],
    ['what is no number', { [DOT]: 'abc' }, [DOT]]
  ])('%s', async (_, stored, names) => {
    const node = await bottlerocket()
    for (const [key, value] of Object.entries(stored)) node.live.set(key, value)
    expect((await apply(node)).failure).toBeUndefined()
    expect([node.live, node.kernel()]).toEqual([only(...names), 65_536])
    expect(count(node, COMMIT)).toBe(1)
  })

  test.each([
    ['the kernel', 100_000, undefined],
    ['the API', 0, '100000'],
    ['the API in base 16', 0, '0x186a0'],
    ['the API with blanks', 0, ' 100000\n'],
    ['the API with more than a number', 0, '100000 7']
  ])('more is kept where %s has it', async (_, live, stored) => {
    const node = await bottlerocket(live)
    if (stored !== undefined) node.live.set(DOT, stored)
    await apply(node)
    expect([node.kernel(), node.live.get(DOT)]).toEqual([100_000, '100000'])
  })

  test('a kernel value below the stored one is staged again, and is not ours to undo', async () => {
    const node = await bottlerocket()
    node.live.set(DOT, '65536')
    expect(await apply(node)).toMatchObject({ failure: undefined, persistent: true })
    expect(node.kernel()).toBe(65_536)
    expect(await entryOf(node)).toBeUndefined()
  })

  test('a kernel value that drops after we raised it is staged again, and can still be undone', async () => {
    const node = await bottlerocket()
    await apply(node)
    node.setKernel(0)
    await apply(node)
    expect(node.kernel()).toBe(65_536)
    expect(await entryOf(node)).toEqual({ from: 0, to: 65_536, way: 'bottlerocket' })
  })

  test('a 200 without effect is tried once more and reported with the numbers', async () => {
    const node = await bottlerocket()
    node.applier = 'idle'
    expect(await apply(node)).toMatchObject({
      failure: undefined,
      did: 'committed 65536 2 times through the Bottlerocket API: the API has "65536", the kernel 0'
    })
    expect(count(node, COMMIT)).toBe(2)
  })

  test('a 500 after a commit is staged again under another name, and reported if it stays', async () => {
    const node = await bottlerocket()
    node.applier = 'missing'
    node.fault = call => {
      if (count(node, COMMIT) === 2 && call.path === '/tx/commit_and_apply') node.applier = 'works'
      return undefined
    }
    expect(await apply(node)).toMatchObject({ failure: undefined, persistent: true })
    expect(count(node, COMMIT)).toBe(2)
    // Of what a 500 has committed nothing is left to drop, which is tried all the same.
    expect(count(node, 'DELETE /tx')).toBe(1)
    expect(new Set(node.calls.flatMap(({ query }) => query.get('tx') ?? [])).size).toBe(2)

    const broken = await bottlerocket()
    broken.applier = 'fails'
    expect((await apply(broken)).failure).toMatch(/commit_and_apply with 500 "Config applier was unable.*; the kernel has 0$/)
    expect(count(broken, COMMIT)).toBe(5)
  })

  test.each<[string, Node['fault']]>([
    ['a transaction that somebody took', on(COMMIT, { kind: 'reply', reply: { status: 422, text: 'Tried' } })],
    ['a reset after the commit', on(COMMIT, { kind: 'reset', after: true })],
    ['a reset before the staging', on('PATCH /settings', { kind: 'reset' }, { kind: 'reset' })],
    ['a reset at first sight', on('GET /tx/list', { kind: 'reset' })],
    ['a reset between staging and commit', on('GET /tx/list', undefined, { kind: 'reset' })]
  ])('%s does not stop it', async (_, fault) => {
    const node = await bottlerocket()
    node.fault = fault
    expect(await apply(node)).toMatchObject({ failure: undefined, persistent: true })
    expect(node.kernel()).toBe(65_536)
  })

  test('a server that restarts with another socket is waited for', async () => {
    const node = await bottlerocket()
    node.fault = ({ method }) => {
      if (method !== 'PATCH' || count(node, 'PATCH /settings') > 1) return undefined
      void node.stop('term').then(() => wait(60).then(node.start))
      return { kind: 'hang' }
    }
    expect(await apply(node)).toMatchObject({ failure: undefined, persistent: true })
  })

  test('a value that somebody else raises between our staging and our commit is not lowered', async () => {
    const node = await bottlerocket()
    node.fault = ({ method }) => {
      if (method === 'PATCH' && !node.live.has(DOT)) {
        node.live.set(DOT, '200000')
        node.setKernel(200_000)
      }
      return undefined
    }
    expect((await apply(node)).failure).toBeUndefined()
    expect([node.kernel(), node.live.get(DOT), node.pending.size]).toEqual([200_000, '200000', 0])
    expect(count(node, COMMIT)).toBe(0)
  })

  test('a boot that does not finish is reported, and nothing is staged', async () => {
    const node = await bottlerocket()
    node.booted = false
    expect((await apply(node)).failure).toMatch(/not committed the settings of this boot yet; the kernel has 0/)
    expect(count(node, 'PATCH /settings')).toBe(0)
  })

  test('transactions of a killed run are dropped, and those of others are not', async () => {
    const node = await bottlerocket()
    for (const name of ['berth-0123456789abcdef', 'somebody']) node.pending.set(name, new Map([[DOT, '1']]))
    expect((await apply(node)).failure).toBeUndefined()
    expect([...node.pending.keys()]).toEqual(['somebody'])
  })

  test('a commit that is refused leaves nothing staged', async () => {
    const node = await bottlerocket()
    node.fault = ({ path }) =>
      path === '/tx/commit_and_apply' ? { kind: 'reply', reply: { status: 403, text: 'no' } } : undefined
    expect((await apply(node)).did).toMatch(/^wrote 65536 into .*403/)
    expect([node.kernel(), node.pending.size]).toEqual([65_536, 0])
  })

  test('a limit that was written while the API was unavailable is stored as soon as possible', async () => {
    const node = await bottlerocket(0, { 'proc/sys/fs/inotify/max_user_watches': '65536\n' })
    await node.stop()
    expect((await apply(node)).persistent).toBe(false)
    expect(await unstoredLimits(kernelHost(node.root))).toEqual([])
    await node.start()
    expect(await unstoredLimits(kernelHost(node.root))).toEqual([DOT, 'fs.inotify.max_user_watches'])
    expect(await apply(node)).toMatchObject({ failure: undefined, persistent: true })
    expect(Object.fromEntries(node.live)).toEqual({ [DOT]: '65536', 'fs.inotify.max_user_watches': '1048576' })
    expect(await unstoredLimits(kernelHost(node.root))).toEqual([])
    expect((await undo(node)).failure).toBeUndefined()
    expect(node.kernel()).toBe(0)
  })

  test('two helpers at the same time reach the same result', async () => {
    const node = await bottlerocket()
    const deeds = await Promise.all([apply(node), apply(node), apply(node, { maxUserNamespaces: 80_000 })])
    expect(deeds.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined])
    expect(node.kernel()).toBeGreaterThanOrEqual(65_536)
    expect(node.pending.size).toBe(0)
  })
})

describe('the further limits on a stand-in for Bottlerocket', () => {
  const WATCHES = 'proc/sys/fs/inotify/max_user_watches'
  const further = {
    'proc/sys/user/max_mnt_namespaces': '15000\n',
    'proc/sys/user/max_pid_namespaces': '30000\n',
    [WATCHES]: '65536\n'
  }
  const read = ({ root }: Node, file: string) => Number(readFileSync(join(root, file), 'utf8'))

  test('are raised where they are lower, stay after a reboot, and are put back', async () => {
    const node = await bottlerocket(0, further)
    const deed = await apply(node)
    expect(deed).toMatchObject({ failure: undefined, persistent: true })
    expect(deed.did).toContain('; set fs.inotify.max_user_watches through the Bottlerocket API')
    expect(Object.fromEntries(node.live)).toEqual({
      [DOT]: '65536',
      'user.max_mnt_namespaces': '20000',
      'fs.inotify.max_user_watches': '1048576'
    })
    expect([read(node, WATCHES), read(node, 'proc/sys/user/max_pid_namespaces')]).toEqual([1_048_576, 30_000])
    expect(Object.keys((await readJournal(kernelHost(node.root))).sysctls ?? {})).toHaveLength(3)
    expect((await undo(node)).failure).toBeUndefined()
    expect([node.kernel(), read(node, WATCHES), read(node, 'proc/sys/user/max_mnt_namespaces')]).toEqual([0, 65_536, 15_000])
    expect((await readJournal(kernelHost(node.root))).sysctls).toEqual({})
  })

  test('are raised alone where there are user namespaces already', async () => {
    const node = await bottlerocket(65_536, further)
    node.live.set(DOT, '65536')
    expect(await apply(node)).toMatchObject({ failure: undefined, persistent: true })
    expect([node.live.get(DOT), read(node, WATCHES)]).toEqual(['65536', 1_048_576])
  })

  test('that cannot be raised are reported, and the others are still raised', async () => {
    const node = await bottlerocket(0, further)
    node.fault = ({ method, body }) =>
      method === 'PATCH' && body.includes('max_mnt') ? { kind: 'reply', reply: { status: 500, text: 'broken' } } : undefined
    const deed = await apply(node)
    expect(deed.failure).toMatch(/broken.*the kernel has 15000/)
    expect([node.kernel(), read(node, WATCHES)]).toEqual([65_536, 1_048_576])
  })

  test('are left alone on another distribution', async () => {
    const node = await bottlerocket(0, further)
    await remedy.apply(kernelHost(node.root), factsOf({ distro: distro('debian', '12') }), terms)
    expect([node.kernel(), read(node, WATCHES)]).toEqual([65_536, 65_536])
  })
})

describe('directly on a stand-in for Bottlerocket, until the next boot', () => {
  test.each<[string, (node: Node) => unknown, string, boolean]>([
    ['without a socket', node => node.stop(), 'has no socket at /run/api.sock', false],
    ['with a file in its place', node => node.stop('term').then(() => writeFileSync(node.socket, '')), 'no socket', false],
    ['where sysctls are unknown', node => Object.assign(node, { hasSysctls: false }), 'with 400', true],
    [
      'with another API',
      node => Object.assign(node, { fault: on('GET /tx/list', { kind: 'reply', reply: { status: 404, text: '' } }) }),
      '404',
      true
    ]
  ])('%s', async (_, change, why, isRefused) => {
    const node = await bottlerocket()
    await change(node)
    const deed = await apply(node)
    expect(deed).toMatchObject({ failure: undefined, persistent: false })
    expect(deed.did).toMatch(/^wrote 65536 into \/proc\/sys\/user\/max_user_namespaces, which had 0 and has 65536, since /)
    expect(deed.did).toContain(why)
    expect([node.kernel(), node.pending.size]).toEqual([65_536, 0])
    // What was refused is not asked again.
    const refused = isRefused ? { refused: true } : {}
    expect(await entryOf(node)).toEqual({ from: 0, to: 65_536, way: 'sysctl', ...refused })
  })

  test('a value that was committed before the API refused is still undone through the API', async () => {
    const node = await bottlerocket()
    node.applier = 'missing'
    node.fault = () => {
      if (count(node, COMMIT) > 0) node.hasSysctls = false
      return undefined
    }
    expect(await apply(node)).toMatchObject({ failure: undefined, persistent: false })
    expect([node.kernel(), node.live]).toEqual([65_536, only(DOT)])
    expect(await entryOf(node)).toEqual({ from: 0, to: 65_536, way: 'bottlerocket' })
  })

  test('on another distribution the file is written, even if a socket exists', async () => {
    const node = await bottlerocket()
    const facts = factsOf({ distro: distro('debian', '12') })
    expect(await remedy.apply(kernelHost(node.root), facts, terms)).toMatchObject({ failure: undefined, persistent: false })
    expect([node.kernel(), node.calls.length]).toEqual([65_536, 0])
    node.setKernel(100_000)
    expect((await remedy.apply(kernelHost(node.root), facts, terms)).did).toContain('wrote nothing')
    expect(node.kernel()).toBe(100_000)
  })

  test.each([
    ['a kernel that takes no write', failing('EROFS', 'put'), /EROFS/],
    ['a disk that takes no journal', failing('ENOSPC', 'write'), /journal\.json.*ENOSPC/]
  ])('%s is a failure, with nothing done', async (_, host, why) => {
    const node = await bottlerocket()
    await node.stop()
    expect((await remedy.apply(host(node.root), BOTTLEROCKET, terms)).failure).toMatch(why)
    expect(node.kernel()).toBe(0)
  })

  test('a missing limit, a limit that is not a number and an invalid journal are failures', async () => {
    const node = await bottlerocket(0, { [JOURNAL.slice(1)]: '{"schema":9}' })
    expect((await apply(node)).failure).toContain('journal')
    expect((await undo(node)).failure).toContain('journal')
    const other = await bottlerocket(0, {
      [JOURNAL.slice(1)]: '{"schema":1,"sysctls":{"user.max_user_namespaces":{"from":"x"}}}'
    })
    expect((await apply(other)).failure).toContain('sysctls.user.max_user_namespaces.from is "x"; expected a whole number')
    rmSync(join(other.root, 'proc/sys/user/max_user_namespaces'))
    expect((await apply(other)).failure).toContain('is not there')
    expect([...node.live, ...other.live]).toEqual([])
  })
})

describe('undo on a stand-in for Bottlerocket', () => {
  test('puts back what we raised through the API, and the second undo does nothing', async () => {
    const node = await bottlerocket()
    node.live.set(SLASH, '10')
    await apply(node)
    expect(await undo(node)).toMatchObject({
      failure: undefined,
      did: 'put user.max_user_namespaces back from 65536 to 10 through the Bottlerocket API'
    })
    expect([node.kernel(), [...node.live.values()], await entryOf(node)]).toEqual([10, ['10', '10'], undefined])
    expect((await undo(node)).did).toContain('nothing to undo')
  })

  test.each<[string, (node: Node) => unknown, boolean]>([
    ['in the API', node => node.live.set(DOT, '70000'), false],
    ['in the kernel', node => node.setKernel(70_000), true],
    ['in the other spelling', node => node.live.set(SLASH, '70000'), true]
  ])('leaves what somebody changed %s, and forgets it once nothing of ours is left', async (_, change, isKept) => {
    const node = await bottlerocket()
    await apply(node)
    change(node)
    const before = [node.kernel(), [...node.live]]
    expect(await undo(node)).toMatchObject({
      failure: undefined,
      did: expect.stringContaining('somebody changed it after berth')
    })
    expect([node.kernel(), [...node.live]]).toEqual(before)
    expect((await entryOf(node))?.to).toBe(isKept ? 65_536 : undefined)
  })

  test('does not claim a value that somebody has put back already', async () => {
    const node = await bottlerocket()
    await apply(node)
    node.live.set(DOT, '0')
    node.setKernel(0)
    expect(await undo(node)).toMatchObject({
      failure: undefined,
      did: 'nothing to put back: user.max_user_namespaces is 0 again already'
    })
    expect([count(node, COMMIT), await entryOf(node)]).toEqual([1, undefined])
  })

  test('finds a journal entry without a change, and changes nothing', async () => {
    const node = await bottlerocket(0, {
      [JOURNAL.slice(1)]: '{"schema":1,"sysctls":{"user.max_user_namespaces":{"from":0,"to":65536,"way":"bottlerocket"}}}'
    })
    expect(await undo(node)).toMatchObject({ failure: undefined, did: expect.stringContaining('nothing to put back') })
    expect([node.live.size, node.kernel(), await entryOf(node)]).toEqual([0, 0, undefined])
  })

  test('finishes a change or an undo that was interrupted', async () => {
    for (const [stored, live] of [
      ['65536', 0],
      ['0', 65_536]
    ] as const) {
      const node = await bottlerocket()
      await apply(node)
      node.live.set(DOT, stored)
      node.setKernel(live)
      expect((await undo(node)).failure).toBeUndefined()
      expect([node.live.get(DOT), node.kernel()]).toEqual(['0', 0])
    }
  })

  test('fails and can be repeated if the API is absent or has no effect', async () => {
    const node = await bottlerocket()
    await apply(node)
    await node.stop()
    expect((await undo(node)).failure).toContain('no socket')
    await node.start()
    node.applier = 'idle'
    expect((await undo(node)).failure).toMatch(/put back to 0, but still the API has "0", the kernel 65536/)
    node.applier = 'works'
    expect((await undo(node)).failure).toBeUndefined()
    expect(node.kernel()).toBe(0)
  })

  test('puts back what was written directly, unless it was changed', async () => {
    const node = await bottlerocket(5)
    await node.stop()
    await apply(node)
    expect((await undo(node)).did).toBe('put /proc/sys/user/max_user_namespaces back from 65536 to 5')
    await apply(node)
    node.setKernel(7)
    expect((await undo(node)).did).toContain('has 7; berth had set 65536')
    expect(node.kernel()).toBe(7)
  })
})

const fault = fc.option(
  fc.oneof(
    fc.record({
      kind: fc.constant('reply' as const),
      reply: fc.record({
        status: fc.constantFrom(200, 204, 400, 403, 404, 408, 422, 500),
        text: fc.constantFrom('', '{}', '[]', 'no')
      }),
      after: fc.boolean()
    }),
    fc.record({ kind: fc.constant('reset' as const), after: fc.boolean() })
  ),
  { nil: undefined, freq: 2 }
)
const limit = fc.constantFrom(0, 5, 65_535, 65_536, 70_000, 2_147_483_647)

test('whatever a stand-in for the API of Bottlerocket answers, the limit never goes down', async () => {
  const quick = pacedUserNamespaces(milliseconds => wait(milliseconds / 1000))
  const stored = fc.dictionary(fc.constantFrom(DOT, SLASH), limit.map(String))
  await fc.assert(
    fc.asyncProperty(limit, stored, fc.array(fault, { maxLength: 12 }), fc.boolean(), async (live, texts, faults, idle) => {
      const node = await bottlerocket(live)
      for (const [key, text] of Object.entries(texts)) node.live.set(key, text)
      node.delay = () => 1
      if (idle) node.applier = 'idle'
      node.fault = () => faults.shift()
      const deed = await quick.apply(kernelHost(node.root), BOTTLEROCKET, terms)
      await wait(10)
      await node.stop()
      expect([live, ...node.written]).toEqual([live, ...node.written].toSorted((a, b) => a - b))
      for (const [key, text] of Object.entries(texts)) expect(Number(node.live.get(key))).toBeGreaterThanOrEqual(Number(text))
      expect(
        [...node.pending.keys(), ...node.calls.flatMap(({ query }) => query.get('tx') ?? [])].every(name =>
          /^berth-[0-9a-f]{16}$/.test(name)
        )
      ).toBe(true)
      if (deed.failure === undefined && !idle) expect(node.kernel()).toBeGreaterThanOrEqual(65_536)
    }),
    { numRuns: 60 }
  )
}, 60_000)
