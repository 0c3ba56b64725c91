import type { Proof, TrialName } from '../facts/proofs.ts'
import type { Ended } from '../host/execute.ts'
import { oneLine } from '../printable.ts'
import { SHIFTED } from './scripts.ts'

/** Seconds. Afterwards a trial and its children are killed. A trial takes 0.1 s, on an overloaded node up to 10 s. */
export const TRIAL_SECONDS = 30

/** The proof that follows from the output of a trial (see scripts.ts). Output that is not understood proves nothing. */
export function readProof(name: TrialName, { status, stdout, stderr }: Ended): Proof {
  const lines = stdout.split('\n').filter(line => line !== '')
  const [, kind, step = '', text = ''] = lines.map(line => OBSTACLE.exec(line)).find(found => found !== null) ?? []
  const saw: Saw = Object.fromEntries(lines.flatMap(line => seen(SAW.exec(line))))
  if (kind !== undefined) return obstacle(name, { kind, step, text }, saw)
  if (lines.at(-1) === 'end') return EXPECTED[name](saw)
  if (status === 127) return untried(`a program that the trial needs is missing: ${short(stderr)}`)
  if (status >= 124) return untried(`the trial did not end within ${TRIAL_SECONDS} s, and was killed`)
  return untried(`the trial stopped early (status ${status}): ${short(lines.at(-1) ?? stderr)}`)
}

type Saw = Readonly<Record<string, string>>

interface Obstacle {
  readonly kind: string
  readonly step: string
  readonly text: string
}

const OBSTACLE = /^(untried|refused|failed) ([^:]*): ?(.*)$/
const SAW = /^saw (\w+):?\s+(\S+)$/

const seen = (found: RegExpExecArray | null): readonly (readonly [string, string])[] =>
  found === null ? [] : [[found[1] as string, short(found[2] as string)]]

const works = (because: string): Proof => ({ outcome: 'works', because })
const fails = (because: string): Proof => ({ outcome: 'fails', because })
const untried = (because: string): Proof => ({ outcome: 'untried', because })

/** One line that fits a sentence; what a tool prints may be anything. */
const short = (text: string): string => oneLine(text.slice(0, 160))

/** Errnos by the text of strerror(3), which perl, mount and the shell print. */
const ERRNOS: Readonly<Record<string, string>> = {
  'operation not permitted': 'EPERM',
  'permission denied': 'EACCES',
  'function not implemented': 'ENOSYS',
  'invalid argument': 'EINVAL',
  'value too large for defined data type': 'EOVERFLOW',
  'operation not supported': 'EOPNOTSUPP',
  'no such device': 'ENODEV',
  'no space left on device': 'ENOSPC',
  'disk quota exceeded': 'EDQUOT',
  'cannot allocate memory': 'ENOMEM',
  'resource temporarily unavailable': 'EAGAIN',
  'too many open files': 'EMFILE',
  'read-only file system': 'EROFS',
  'input/output error': 'EIO'
}

/** Errors for lack of resources or permission: they say nothing about what was tried. */
const SHORTAGES = ['ENOSPC', 'EDQUOT', 'ENOMEM', 'EAGAIN', 'EMFILE', 'EROFS', 'EIO']
const BANS = ['EPERM', 'EACCES']

function obstacle(name: TrialName, { kind, step, text }: Obstacle, { Seccomp }: Saw): Proof {
  const [says, errno] = Object.entries(ERRNOS).find(([words]) => text.toLowerCase().includes(words)) ?? ['', '']
  const what = short(step)
  const sentence = errno === '' ? `${what}: ${short(text)}` : `${what}: ${errno} (${says})`
  if (kind === 'untried' || SHORTAGES.includes(errno)) return untried(sentence)
  if (kind === 'failed') return fails(sentence)
  if (BANS.includes(errno)) return untried(`${sentence}; a capability is missing, or a security module forbids it`)
  if (errno !== 'ENOSYS' || name === 'shiftfs-on-disk' || name === 'shiftfs-on-overlay')
    return errno === '' ? untried(sentence) : fails(sentence)
  // The seccomp filter of a container runtime returns ENOSYS for system calls that are newer than its profile.
  if (Seccomp !== '0') return untried(`${sentence}, which may come from a seccomp filter and not from the kernel`)
  return fails(`the kernel has no ID-mapped mounts (${what}: ENOSYS)`)
}

const OUTSIDE = `${SHIFTED}:${SHIFTED}`

function mapped({ flags = 'none', mapped: owner = 'nothing' }: Saw, then: () => Proof): Proof {
  if (!flags.split(',').includes('idmapped')) {
    return untried(`the tool reported a mount, but mountinfo says "${flags}" without "idmapped"`)
  }
  return owner === OUTSIDE ? then() : fails(`mountinfo says "idmapped", but root's file shows ${owner} instead of ${OUTSIDE}`)
}

const owned = (by: string, { owner = 'nothing' }: Saw, sentence: string): Proof =>
  owner === by ? works(sentence) : fails(`root's file shows ${owner} instead of ${by}`)

const shifted = (saw: Saw): Proof =>
  owned('0:0', saw, "in a user namespace root's file shows 0:0, and create, mkdir, rename and remove work")

/** What a trial must have printed after all its steps to count as a proof. */
const EXPECTED: Readonly<Record<TrialName, (saw: Saw) => Proof>> = {
  'id-mapped-mount': saw => mapped(saw, () => works(`mountinfo says "idmapped", and root's file shows ${OUTSIDE}`)),
  'overlay-on-id-mapped': saw =>
    mapped(saw, () => owned(OUTSIDE, saw, `overlayfs mounts on it, and root's file below shows ${OUTSIDE}`)),
  'shiftfs-on-disk': shifted,
  'shiftfs-on-overlay': shifted,
  procfs: ({ pid = 'nothing' }) =>
    pid === '1' ? works('a fresh procfs shows its first process as number 1') : fails(`a fresh procfs shows ${pid} instead of 1`)
}
