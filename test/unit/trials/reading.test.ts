import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Proof, TRIALS, type TrialName } from '../../../src/facts/proofs.ts'
import type { Ended } from '../../../src/host/execute.ts'
import { readProof, TRIAL_SECONDS } from '../../../src/trials/reading.ts'

const ended = (stdout: string, status = 0, stderr = ''): Ended => ({ status, stdout, stderr })

const FREE = 'saw Seccomp:\t0\n'
const MAPPED = `${FREE}saw flags rw,relatime,idmapped\nsaw mapped 165536:165536\n`
const SHIFTED = `${FREE}saw owner 0:0\n`

describe('the output of a trial', () => {
  test.each<[string, TrialName, string, Proof['outcome'], string]>([
    ['an ID-mapped mount', 'id-mapped-mount', `${MAPPED}end\n`, 'works', 'mountinfo says "idmapped"'],
    [
      'a tool that lies',
      'id-mapped-mount',
      `${FREE}saw flags rw,relatime\nsaw mapped 0:0\nend\n`,
      'untried',
      'mountinfo says "rw,relatime" without "idmapped"'
    ],
    ['no mount at all', 'id-mapped-mount', `${FREE}saw flags none\nsaw mapped\nend\n`, 'untried', 'mountinfo says "none"'],
    [
      'a mount that does not map',
      'id-mapped-mount',
      `${FREE}saw flags rw,idmapped\nsaw mapped 0:0\nend\n`,
      'fails',
      "root's file shows 0:0 instead of 165536:165536"
    ],
    [
      'a flag that only looks like it',
      'id-mapped-mount',
      `${FREE}saw flags rw,notidmapped\nsaw mapped 165536:165536\nend\n`,
      'untried',
      'without "idmapped"'
    ],
    [
      'perl on 5.10',
      'id-mapped-mount',
      `${FREE}refused mount_setattr: mount_setattr: Function not implemented\n`,
      'fails',
      'the kernel has no ID-mapped mounts (mount_setattr: ENOSYS)'
    ],
    [
      'util-linux on 5.10',
      'overlay-on-id-mapped',
      `${FREE}refused mount_setattr: mount: /x: mount_setattr() failed: cannot set ID-mapping: Function not implemented.\n`,
      'fails',
      'the kernel has no ID-mapped mounts (mount_setattr: ENOSYS)'
    ],
    [
      'a filter that answers ENOSYS',
      'id-mapped-mount',
      'saw Seccomp:\t2\nrefused mount_setattr: mount_setattr: Function not implemented\n',
      'untried',
      'seccomp filter'
    ],
    [
      'ext2',
      'id-mapped-mount',
      `${FREE}refused mount_setattr: mount_setattr: Invalid argument\n`,
      'fails',
      'mount_setattr: EINVAL (invalid argument)'
    ],
    [
      'a missing capability',
      'id-mapped-mount',
      `${FREE}refused mount_setattr: open_tree: Operation not permitted\n`,
      'untried',
      'EPERM (operation not permitted); a capability is missing'
    ],
    [
      'a security module',
      'shiftfs-on-disk',
      `${FREE}refused marking a mount: mount: /mnt/marked: Permission denied.\n`,
      'untried',
      'EACCES (permission denied)'
    ],
    [
      'no tool',
      'id-mapped-mount',
      `${FREE}untried finding a tool: neither is there\n`,
      'untried',
      'finding a tool: neither is there'
    ],
    [
      'no namespace to be had',
      'id-mapped-mount',
      'unshare: unshare failed: Operation not permitted\n',
      'untried',
      'stopped early (status 0): unshare: unshare failed'
    ],
    ['a full disk', 'shiftfs-on-disk', `${SHIFTED}failed creating a file: touch: No space left on device\n`, 'untried', 'ENOSPC'],
    [
      'a read-only disk',
      'id-mapped-mount',
      'untried making a scratch directory: mktemp: Read-only file system\n',
      'untried',
      'EROFS'
    ],
    ['overlayfs on it', 'overlay-on-id-mapped', `${MAPPED}saw owner 165536:165536\nend\n`, 'works', 'overlayfs mounts on it'],
    [
      'overlayfs before 5.19',
      'overlay-on-id-mapped',
      `${MAPPED}refused mounting overlayfs: mount: wrong fs type, Invalid argument.\n`,
      'fails',
      'mounting overlayfs: EINVAL'
    ],
    ['overlayfs that does not map', 'overlay-on-id-mapped', `${MAPPED}saw owner 0:0\nend\n`, 'fails', "root's file shows 0:0"],
    ['shiftfs', 'shiftfs-on-overlay', `${SHIFTED}end\n`, 'works', 'create, mkdir, rename and remove work'],
    [
      'shiftfs of Ubuntu 5.15.0-48',
      'shiftfs-on-disk',
      `${SHIFTED}failed renaming a new file: mv: cannot move 'new': Value too large for defined data type\n`,
      'fails',
      'renaming a new file: EOVERFLOW (value too large for defined data type)'
    ],
    [
      'shiftfs that refuses its own files',
      'shiftfs-on-disk',
      `${SHIFTED}failed making a directory: mkdir: Operation not permitted\n`,
      'fails',
      'making a directory: EPERM'
    ],
    [
      'shiftfs that does not shift',
      'shiftfs-on-disk',
      `${FREE}saw owner 65534:65534\nend\n`,
      'fails',
      '65534:65534 instead of 0:0'
    ],
    ['shiftfs on ID-mapped', 'shiftfs-on-disk', `${FREE}refused marking a mount: mount: Invalid argument\n`, 'fails', 'EINVAL'],
    ['procfs', 'procfs', 'saw pid 1\nend\n', 'works', 'number 1'],
    [
      'procfs under a mask',
      'procfs',
      'failed mounting procfs: unshare: mount /proc failed: Operation not permitted\n',
      'fails',
      'EPERM'
    ],
    ['an old procfs', 'procfs', 'saw pid 4711\nend\n', 'fails', '4711'],
    ['an unknown refusal', 'id-mapped-mount', `${FREE}refused mount_setattr: what is this\n`, 'untried', 'what is this'],
    ['an unknown failure', 'shiftfs-on-disk', `${SHIFTED}failed removing files: what is this\n`, 'fails', 'what is this'],
    ['nothing', 'procfs', '', 'untried', 'stopped early'],
    ['an end without lines that begin with saw', 'id-mapped-mount', 'end\n', 'untried', 'mountinfo says "none"'],
    ['only lines that begin with saw', 'id-mapped-mount', MAPPED, 'untried', 'stopped early']
  ])('of %s (%s)', (_, name, stdout, outcome, because) => {
    const proof = readProof(name, ended(stdout))
    expect(proof.outcome).toBe(outcome)
    expect(proof.because).toContain(because)
  })

  test.each([
    [ended(MAPPED, 137), `did not end within ${TRIAL_SECONDS} s`],
    [ended(MAPPED, 124), `did not end within ${TRIAL_SECONDS} s`],
    [ended('', 127, 'timeout: failed to run command'), 'a program that the trial needs is missing: timeout'],
    [ended('', 1, 'sh: what\u001b[2J\n'), 'stopped early (status 1): sh: what [2J']
  ])('with a status that says why it ended (%#)', (found, because) => {
    expect(readProof('id-mapped-mount', found)).toEqual({ outcome: 'untried', because: expect.stringContaining(because) })
  })

  test('becomes one sentence, and proves nothing that it does not contain', () => {
    let works = 0
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.constantFrom(
        'end',
        'saw owner 0:0',
        'saw pid 1',
        'saw flags rw',
        'failed x:',
        'untried',
        'refused mount_setattr: Invalid argument'
      )
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...TRIALS),
        // By chance alone hardly one of them would be a proof.
        fc.oneof(fc.array(line, { maxLength: 6 }), fc.constant(['saw pid 1', 'end'])),
        fc.constantFrom(0, 1, 124, 137),
        (name, lines, status) => {
          const proof = readProof(name, ended(lines.join('\n'), status, lines[0]))
          expect(proof.because.length).toBeLessThanOrEqual(450)
          expect(proof.because).not.toMatch(/\p{Cc}/u)
          if (proof.outcome !== 'works') return
          works += 1
          // An empty piece after it is its own line's end.
          expect(lines.filter(text => text !== '').at(-1)).toMatch(/(^|\n)end\n*$/)
        }
      ),
      { numRuns: 2_000 }
    )
    expect(works).toBeGreaterThan(0)
  })
})
