import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Proofs, TRIALS } from '../../../src/facts/proofs.ts'
import { HostError } from '../../../src/host/host.ts'
import type { HostWriter } from '../../../src/host/writer.ts'
import { parseFilesystems, tryAll } from '../../../src/trials/run-trials.ts'
import { SWEEP } from '../../../src/trials/scripts.ts'
import { createTrials } from '../../../src/trials/trials.ts'
import { temporary } from '../host/temporary.ts'
import { mountsNaming, thisMachine } from './node.ts'

const outcomes = (proofs: Proofs) => Object.fromEntries(TRIALS.map(name => [name, proofs[name].outcome]))
const leftIn = (place: string): readonly string[] => readdirSync(place).filter(name => name.startsWith('.berth-trial-'))

/** Asked of the system by other ways than a trial: the right to mount, and what is documented of this kernel and file system. */
const REGISTERED = parseFilesystems(readFileSync('/proc/filesystems', 'utf8'))
const [MAJOR = 0, MINOR = 0] = execFileSync('uname', ['-r'], { encoding: 'utf8' }).split('.').map(Number)
const isAtLeast = (major: number, minor: number): boolean => MAJOR > major || (MAJOR === major && MINOR >= minor)
const MAPPABLE: Readonly<Record<string, boolean>> = {
  ext4: isAtLeast(5, 12),
  xfs: isAtLeast(5, 12),
  btrfs: isAtLeast(5, 15),
  tmpfs: isAtLeast(6, 3)
}

function expected(place: string): Readonly<Record<string, string>> {
  const type = execFileSync('findmnt', ['-n', '-o', 'FSTYPE', '-T', place], { encoding: 'utf8' }).trim()
  const mounts = MAPPABLE[type] === true
  return {
    'id-mapped-mount': mounts ? 'works' : 'fails',
    'overlay-on-id-mapped': mounts && isAtLeast(5, 19) ? 'works' : 'fails',
    procfs: spawnSync('unshare', ['-U', '-p', '-f', '-r', '--mount-proc', 'true']).status === 0 ? 'works' : 'fails'
  }
}

// Without these every trial would be untried, and nothing shown.
beforeAll(() => {
  execFileSync('unshare', ['--mount', 'true'])
  execFileSync('unshare', ['--user', '--map-root-user', 'true'])
  expect(REGISTERED, 'overlayfs is not registered: modprobe overlay').toContain('overlay')
})

describe('the trials on this machine', () => {
  test('agree with what the system reports elsewhere, and leave nothing behind', async () => {
    const place = temporary()
    const before = readFileSync('/proc/self/mountinfo', 'utf8')
    const begin = performance.now()
    const proofs = await tryAll(thisMachine(place))
    console.info(`all trials: ${Math.round(performance.now() - begin)} ms`)
    expect(outcomes(proofs)).toMatchObject(expected(place))
    expect(proofs['shiftfs-on-disk']).toEqual({ outcome: 'untried', because: 'shiftfs is not loaded' })
    expect(readdirSync(place)).toEqual([])
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before)
    expect(mountsNaming(place)).toEqual([])
  })

  test.each<[string, readonly string[]]>([
    ['without the right to mount', ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin']],
    ['as nobody', ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']]
  ])('%s prove nothing about mounts', async (_, prefix) => {
    const place = temporary()
    chmodSync(place, 0o777)
    const proofs = await tryAll(thisMachine(place, { prefix }))
    for (const name of ['id-mapped-mount', 'overlay-on-id-mapped'] as const) {
      expect(proofs[name].outcome).toBe('untried')
      expect(proofs[name].because).toMatch(/not permitted|not there/)
    }
    expect(leftIn(place)).toEqual([])
  })

  test('that cannot make a directory prove nothing', async () => {
    const proofs = await tryAll(thisMachine('/proc/sys'))
    expect(proofs['id-mapped-mount']).toEqual({
      outcome: 'untried',
      because: expect.stringContaining('making a scratch directory')
    })
  })

  test('without their tools prove nothing', async () => {
    const proofs = await tryAll(thisMachine(temporary(), { path: temporary() }))
    expect(new Set(Object.values(outcomes(proofs)))).toEqual(new Set(['untried']))
    expect(proofs.procfs.because).toContain('a program that the trial needs is missing')
  })

  test('on a node that cannot be read are all untried, and a bug is thrown', async () => {
    const failing = (error: Error): HostWriter => ({ ...thisMachine('/tmp'), read: () => Promise.reject(error) })
    const proofs = await tryAll(failing(new HostError('/proc/filesystems', 'EIO')))
    expect(proofs.procfs).toEqual({
      outcome: 'untried',
      because: 'the trials could not be made: /proc/filesystems cannot be read: EIO'
    })
    await expect(tryAll(failing(new TypeError('a bug')))).rejects.toThrow('a bug')
  })
})

/** Tools that stand before the real ones. A shiftfs is played by an ID-mapped mount, which shows root's files alike. */
const tools = (changes: Readonly<Record<string, string>> = {}): string => {
  const folder = temporary()
  // They are started inside the user namespace too.
  chmodSync(folder, 0o755)
  const stubs = {
    // "mount -t shiftfs -o mark FROM TO" and "mount -t shiftfs FROM TO".
    mount: `case "$*" in
      "-t shiftfs -o mark "*) shift 4; ${changes['mark'] ?? 'mount --bind "$@"'} ;;
      "-t shiftfs "*) shift 2; ${changes['shift'] ?? 'mount --bind "$@"'} ;;
      *) ${changes['mount'] ?? 'mount "$@"'} ;;
    esac`,
    ...changes
  }
  for (const [name, text] of Object.entries(stubs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\nPATH=$REAL_PATH\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

const withTools = async (changes: Readonly<Record<string, string>>, how: { readonly seconds?: number } = {}): Promise<Proofs> => {
  const place = temporary()
  const path = `${tools(changes)}:${process.env['PATH']}`
  const proofs = await tryAll(thisMachine(place, { ...how, path, registered: 'shiftfs' }))
  expect(leftIn(place)).toEqual([])
  expect(mountsNaming(place)).toEqual([])
  return proofs
}

describe('the trials of shiftfs, on mounts that stand in for it', () => {
  test.each<[string, Readonly<Record<string, string>>, string, RegExp]>([
    ['works', {}, 'works', /create, mkdir, rename and remove work/],
    [
      'cannot rename',
      { mv: `echo "mv: cannot move 'new' to 'newer': Value too large for defined data type" >&2; exit 1` },
      'fails',
      /renaming a new file: EOVERFLOW \(value too large/
    ],
    [
      'cannot mkdir',
      { mkdir: `case "$*" in dir) echo "mkdir: Invalid argument" >&2; exit 1 ;; esac; mkdir "$@"` },
      'fails',
      /making a directory: EINVAL/
    ],
    ['cannot be marked', { mark: 'echo "mount: Invalid argument." >&2; exit 32' }, 'fails', /marking a mount: EINVAL/],
    ['may not be marked', { mark: 'echo "mount: Operation not permitted." >&2; exit 32' }, 'untried', /EPERM .* a capability/],
    [
      'is no module any more',
      { mark: `echo "mount: unknown filesystem type 'shiftfs'." >&2; exit 32` },
      'untried',
      /unknown filesystem/
    ],
    [
      'cannot be mounted inside',
      { shift: 'echo "mount: Invalid argument." >&2; exit 32' },
      'fails',
      /in a user namespace: EINVAL/
    ],
    ['shifts nothing', { mark: 'mount --bind "$@"' }, 'fails', /creating a file: EACCES/]
  ])('where it %s', async (_, changes, outcome, because) => {
    const proofs = await withTools({ mark: 'chown -R 165536:165536 "$1"; mount --bind "$@"', ...changes })
    for (const name of ['shiftfs-on-disk', 'shiftfs-on-overlay'] as const) {
      expect(proofs[name].outcome).toBe(outcome)
      expect(proofs[name].because).toMatch(because)
    }
  })

  test('end when they hang, and leave nothing behind', { timeout: 90_000 }, async () => {
    const proofs = await withTools({ mark: 'sleep 60' }, { seconds: 3 })
    expect(proofs['shiftfs-on-disk'].outcome).toBe('untried')
    expect(proofs['shiftfs-on-disk'].because).toContain('did not end within')
    expect(outcomes(proofs)['procfs']).toBe(expected('/')['procfs'])
  })
})

describe('the trial of ID-mapped mounts', () => {
  test('fails on a file system that cannot be mapped', async () => {
    const place = temporary()
    const prefix = ['unshare', '--mount', 'sh', '-c', `mount -t ramfs ramfs ${place} && exec "$@"`, 'sh']
    const { 'id-mapped-mount': proof } = await tryAll(thisMachine(place, { prefix }))
    expect(proof.outcome).toBe('fails')
    expect(proof.because).toMatch(/mount_setattr: EINVAL|no ID-mapped mounts/)
  })

  test('proves nothing with a mount program that claims ID mapping and ignores it', async () => {
    const mount = `case "$*" in --version) echo 'mount: idmapping' ;; *idmap=*) exit 0 ;; *) mount "$@" ;; esac`
    const { 'id-mapped-mount': proof } = await withTools({ mount })
    expect(proof.outcome).toBe('untried')
    expect(proof.because).toContain('mountinfo says "none" without "idmapped"')
  })

  test('proves nothing with a plain bind mount', async () => {
    const mount = `case "$*" in --version) echo 'mount: idmapping' ;; *idmap=*) mount --bind "$4" "$5" ;; *) mount "$@" ;; esac`
    const { 'id-mapped-mount': proof } = await withTools({ mount })
    expect(proof.outcome).toBe('untried')
    expect(proof.because).toContain('without "idmapped"')
  })

  test('needs a tool', async () => {
    const path = temporary()
    const needed = 'sh timeout mktemp flock unshare rm grep mkfifo mkdir touch stat'.split(' ')
    for (const name of needed) symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(path, name))
    writeFileSync(join(path, 'mount'), '#!/bin/sh\necho an old mount\n', { mode: 0o755 })
    const { 'id-mapped-mount': proof } = await tryAll(thisMachine(temporary(), { path }))
    expect(proof.outcome).toBe('untried')
    expect(proof.because).toContain('neither mount of util-linux 2.39 nor perl is installed')
  })
})

describe('the scratch directory of a killed trial', () => {
  test('is removed at the next start, wherever the trial was killed', { timeout: 60_000 }, async () => {
    const place = temporary()
    let left = 0
    for (let round = 0; round < 20; round++) {
      await killed(place, 3 + round * 4, round % 2 === 0)
      left += leftIn(place).length
      expect(mountsNaming(place)).toEqual([])
      expect(outcomes(await tryAll(thisMachine(place)))).toMatchObject(expected(place))
      expect(leftIn(place)).toEqual([])
    }
    console.info(`20 kills left ${left} directories and no mount`)
    expect(left).toBeGreaterThan(0)
  })

  test('is not followed to another place, and no other file is removed', async () => {
    const place = temporary()
    const other = temporary({ 'kept/file': 'kept' })
    for (const name of ['.berth-trial-AAAAAAAA', 'pods', '.berth-trial-', '.berth-trial-AAAAAAAAA']) mkdirSync(join(place, name))
    symlinkSync(join(other, 'kept'), join(place, '.berth-trial-AAAAAAAA', 'link'))
    symlinkSync(join(other, 'kept'), join(place, '.berth-trial-BBBBBBBB'))
    writeFileSync(join(place, '.berth-trial-CCCCCCCC'), 'a file')
    await tryAll(thisMachine(place))
    expect(readdirSync(place).toSorted()).toEqual([
      '.berth-trial-',
      '.berth-trial-AAAAAAAAA',
      '.berth-trial-BBBBBBBB',
      '.berth-trial-CCCCCCCC',
      'pods'
    ])
    expect(readFileSync(join(other, 'kept/file'), 'utf8')).toBe('kept')
  })

  test('stays while it holds a mount', async () => {
    const place = temporary({ '.berth-trial-AAAAAAAA/mnt/': 'directory/', 'kept/file': 'kept' })
    const scratch = join(place, '.berth-trial-AAAAAAAA')
    const sweep = `mount --bind "${place}/kept" "${scratch}/mnt" && sh -c "$0" sweep "${scratch}"`
    execFileSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', sweep, SWEEP])
    expect(readFileSync(join(place, 'kept/file'), 'utf8')).toBe('kept')
    expect(leftIn(place)).toHaveLength(1)
  })

  test('stays while another helper works in it', async () => {
    const place = temporary({ '.berth-trial-AAAAAAAA/file': '' })
    const scratch = join(place, '.berth-trial-AAAAAAAA')
    spawnSync('flock', [scratch, 'sh', '-c', SWEEP, 'sweep', scratch])
    expect(leftIn(place)).toHaveLength(1)
    execFileSync('sh', ['-c', SWEEP, 'sweep', scratch])
    expect(leftIn(place)).toEqual([])
  })
})

/** Kill -9 of whoever tries, after so many milliseconds: with all that it started, or only the first process of each trial. */
async function killed(place: string, after: number, isWhole: boolean): Promise<void> {
  const pids: number[] = []
  let isAlive = true
  const trying = tryAll(thisMachine(place, { lives: () => isAlive, started: pid => pids.push(pid) }))
  await wait(after)
  isAlive = false
  for (const pid of pids) {
    try {
      process.kill(isWhole ? -pid : pid, 'SIGKILL')
    } catch {
      // It had ended already.
    }
  }
  await trying
  for (let turn = 0; turn < 100 && mountsNaming(place).length > 0; turn++) await wait(60)
}

describe('the trials of a node that does not change', () => {
  const counting = (changes: () => Readonly<Record<string, string>>) => {
    const seen = { starts: 0, now: 0 }
    const host = thisMachine(temporary(), { started: () => seen.starts++ })
    const read = async (path: string) => changes()[path] ?? (await host.read(path))
    return { seen, trials: createTrials({ ...host, read }, () => seen.now) }
  }

  test('are made once', async () => {
    const { seen, trials } = counting(() => ({ '/proc/modules': 'overlay 1 2 - Live 0x0\n' }))
    const first = await trials.prove()
    const { starts } = seen
    expect(starts).toBeGreaterThan(0)
    expect(await trials.prove()).toBe(first)
    expect(seen.starts).toBe(starts)
  })

  test('are made again after a day, also those that worked', async () => {
    const { seen, trials } = counting(() => ({}))
    const first = await trials.prove()
    const { starts } = seen
    seen.now += 24 * 3_600_000
    const second = await trials.prove()
    expect(second).not.toBe(first)
    expect(outcomes(second)).toEqual(outcomes(first))
    expect(seen.starts).toBe(2 * starts)
  })

  test('record what they depend on and when they were made, until they are made again', async () => {
    let uptime = '100.00 1.00\n'
    const { seen, trials } = counting(() => ({ '/proc/uptime': uptime }))
    expect(trials.made()).toBeUndefined()
    await trials.prove()
    const first = trials.made()
    expect(first).toMatchObject({ uptime: 100, filesystems: expect.stringContaining('\toverlay\n') })
    expect(first?.disk).toMatch(/^\S+ \(\d+:\d+\) at \//)
    uptime = '200.00 1.00\n'
    await trials.prove()
    expect(trials.made()).toBe(first)
    seen.now += 24 * 3_600_000
    await trials.prove()
    expect(trials.made()).toEqual({ ...first, uptime: 200 })
    uptime = 'never\n'
    seen.now += 24 * 3_600_000
    await trials.prove()
    expect(trials.made()).toBeUndefined()
  })

  test.each([
    ['/proc/sys/kernel/random/boot_id', 'another\n'],
    ['/proc/sys/kernel/osrelease', '9.9.9\n'],
    ['/proc/modules', 'shiftfs 32768 0 - Live 0x0 (OE)\n'],
    ['/proc/filesystems', 'nodev\tproc\n']
  ])('are made again when %s has changed', async (path, text) => {
    let changes: Readonly<Record<string, string>> = {}
    const { seen, trials } = counting(() => changes)
    await trials.prove()
    const { starts } = seen
    changes = { [path]: text }
    await trials.prove()
    expect(seen.starts).toBeGreaterThan(starts)
  })

  test('are not made again when the use count of a module changes', async () => {
    let uses = 0
    const { seen, trials } = counting(() => ({ '/proc/modules': `overlay 1 ${uses++} - Live 0x0\n` }))
    await trials.prove()
    const { starts } = seen
    await trials.prove()
    expect(seen.starts).toBe(starts)
  })

  test('are made again with growing pauses if they could not be made, and not if they are proved', async () => {
    const seen = { starts: [] as string[], now: 0, isFull: true }
    const host = thisMachine(temporary())
    const full = { status: 1, stdout: 'untried mkdir: No space left on device\n', stderr: '' }
    const proved = { status: 0, stdout: 'saw pid 1\nend\n', stderr: '' }
    const exec: HostWriter['exec'] = argv => {
      if (argv[0] !== 'timeout') return Promise.resolve({ status: 0, stdout: '', stderr: '' })
      const isOnDisk = argv.includes('frame')
      seen.starts.push(isOnDisk ? 'disk' : 'procfs')
      return Promise.resolve(isOnDisk && seen.isFull ? full : proved)
    }
    const read = async (path: string) => (path === '/proc/filesystems' ? 'nodev\tproc\n' : await host.read(path))
    const { prove } = createTrials({ ...host, read, exec }, () => seen.now)
    const first = await prove()
    expect(outcomes(first)).toMatchObject({ 'id-mapped-mount': 'untried', procfs: 'works' })
    expect(seen.starts).toEqual(['disk', 'procfs'])
    const tries: number[] = []
    for (seen.now = 0; seen.now < 1_000_000; seen.now += 10_000) {
      const { length } = seen.starts
      await prove()
      if (seen.starts.length > length) tries.push(seen.now / 1_000)
    }
    expect(tries).toEqual([60, 180, 420, 900])
    expect(seen.starts.filter(name => name === 'procfs')).toHaveLength(1)
  })
})
