import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Proofs, TRIALS } from '../../../src/facts/proofs.ts'
import { HostError } from '../../../src/host/host.ts'
import type { HostWriter } from '../../../src/host/writer.ts'
import { createTrials } from '../../../src/trials/trials.ts'
import { parseFilesystems, tryAll } from '../../../src/trials/try.ts'
import { temporary } from '../host/temporary.ts'
import { mountsNaming, thisMachine } from './node.ts'

const outcomes = (proofs: Proofs) => Object.fromEntries(TRIALS.map(name => [name, proofs[name].outcome]))
const leftIn = (place: string): readonly string[] => readdirSync(place).filter(name => name.startsWith('.berth-trial-'))

/** Asked of the system by other ways than a trial: the right to mount, and what is documented of this kernel and file system. */
const MAY_MOUNT = spawnSync('unshare', ['--mount', 'true']).status === 0
const MAY_MAP = spawnSync('unshare', ['--user', '--map-root-user', 'true']).status === 0
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
  const mount = MAY_MOUNT && MAY_MAP ? (MAPPABLE[type] ? 'works' : 'fails') : 'untried'
  return {
    'id-mapped-mount': mount,
    'overlay-on-id-mapped':
      mount === 'works' && REGISTERED.includes('overlay') ? (isAtLeast(5, 19) ? 'works' : 'fails') : REGISTERED.includes('overlay') ? mount : 'untried',
    procfs: !MAY_MAP
      ? 'untried'
      : spawnSync('unshare', ['-U', '-p', '-f', '-r', '--mount-proc', 'true']).status === 0
        ? 'works'
        : 'fails'
  }
}

describe('the trials on this machine', () => {
  test('tell what the system tells otherwise, and leave nothing behind', async () => {
    const place = temporary()
    const before = readFileSync('/proc/self/mountinfo', 'utf8')
    const begin = performance.now()
    const proofs = await tryAll(thisMachine(place))
    console.info(`all trials: ${Math.round(performance.now() - begin)} ms`)
    expect(outcomes(proofs)).toMatchObject(expected(place))
    if (!REGISTERED.includes('shiftfs')) {
      expect(proofs['shiftfs-on-disk']).toEqual({ outcome: 'untried', because: 'shiftfs is not loaded' })
    }
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
    expect(proofs['id-mapped-mount']).toEqual({ outcome: 'untried', because: expect.stringContaining('making a scratch directory') })
  })

  test('without their tools prove nothing', async () => {
    const proofs = await tryAll(thisMachine(temporary(), { path: temporary() }))
    expect(new Set(Object.values(outcomes(proofs)))).toEqual(new Set(['untried']))
    expect(proofs.procfs.because).toContain('a program that the trial needs is not there')
  })

  test('on a node that cannot be read are all untried; a bug is no finding', async () => {
    const failing = (error: Error): HostWriter => ({ ...thisMachine('/tmp'), read: () => Promise.reject(error) })
    const proofs = await tryAll(failing(new HostError('/proc/filesystems', 'EIO')))
    expect(proofs.procfs).toEqual({
      outcome: 'untried',
      because: 'the node could not be tried: /proc/filesystems cannot be read: EIO'
    })
    await expect(tryAll(failing(new TypeError('a bug')))).rejects.toThrow('a bug')
  })
})

/** Tools that stand before the real ones. A shiftfs is played by an ID-mapped mount, which shows root's files alike. */
const tools = (changes: Readonly<Record<string, string>> = {}): string => {
  const perl = execFileSync('sh', ['-c', 'command -v perl'], { encoding: 'utf8' }).trim()
  const folder = temporary()
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
    writeFileSync(join(folder, name), `#!/bin/sh\nPATH=$REAL_PATH\nPERL=${perl}\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}
