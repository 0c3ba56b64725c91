import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostWriter } from '../../host/writer.ts'
import { buildTail } from '../program-text.ts'
import { newBuildFolder } from './scratch.ts'
import type { Source } from './source.ts'

export type Built =
  | { readonly ok: true; readonly file: string; readonly warning: string }
  | { readonly ok: false; readonly why: string; readonly tail: string }

export interface BuildTerms {
  readonly release: string
  readonly source: Source
  /** A directory with some megabytes of space, outside the host. */
  readonly scratch: string
}

/** Milliseconds. Compiling takes 2 s on a machine with two cores. */
const TIMEOUT = 300_000

/**
 * Compiles the module in a scratch directory. A mount namespace of its own shows the host's headers at their own paths, read-only, since
 * they contain absolute includes. The caller loads the module from the scratch directory and removes it. The build's processes end with
 * this process, also after a kill.
 */
export async function build(host: HostWriter, { release, source, scratch }: BuildTerms): Promise<Built> {
  const directory = await newBuildFolder(scratch)
  for (const [name, text] of source.files) await writeFile(join(directory, name), text, { flag: 'wx' })
  const { status, stderr, stdout } = await host.exec(
    [...TIED, 'sh', '-euc', SCRIPT, 'build', host.inside('/'), release, directory],
    { timeout: TIMEOUT, environment: { LC_ALL: 'C' } }
  )
  const tail = buildTail(`${stdout}\n${stderr}`)
  if (status === 127 && /not found/.test(tail) === false)
    return { ok: false, why: "setpriv, unshare or sh is missing in the helper's image", tail }
  if (status !== 0) return { ok: false, why: `make ended with status ${status}${reasonIn(tail)}`, tail }
  const file = join(directory, 'shiftfs.ko')
  const wrong = await wrongVermagic(host, file, release)
  if (wrong !== '') return { ok: false, why: wrong, tail }
  const kernel = (await host.read('/proc/version')) ?? ''
  return { ok: true, file, warning: compilerWarning(kernel, /^our gcc: (.+)$/m.exec(stdout)?.[1] ?? '') }
}

/** The kernel kills unshare when this process ends, and with unshare all processes in its pid namespace. */
const TIED = [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child']
] as const

/**
 * sh: ROOT RELEASE DIRECTORY. If ROOT is not /, the host's directories are bind-mounted over those of this process; kbuild's own directory
 * is reached from /usr/src by a relative link.
 */
const SCRIPT = `
exec 2>&1
root=\${1%/} rel=$2 dir=$3
if [ -n "$root" ]; then
  for path in /usr/src "/lib/modules/$rel" "$root"/usr/lib/linux-kbuild-*; do
    at=\${path#"$root"}
    [ -d "$root$at" ] || continue
    mkdir -p "$at"
    mount --bind "$root$at" "$at"
    mount -o remount,bind,ro "$at"
  done
fi
make -C "/lib/modules/$rel/build" M="$dir" CC=gcc EXTRA_CFLAGS=-DSHIFTFS_MAGIC=0x6a656a62 modules
echo "our gcc: $(gcc -dumpversion)"
`

const reasonIn = (tail: string): string => {
  const [, program] = /(\S+): (?:command )?not found/.exec(tail) ?? []
  if (program !== undefined) return `: ${program} is not installed in the helper's image`
  if (/unshare failed: No space left/.test(tail))
    return ': this node allows no more namespaces (user.max_mnt_namespaces, user.max_pid_namespaces)'
  if (/No space left on device/.test(tail)) return ': no space left in the scratch directory'
  const [, error] = /error: ([^\n]+)/i.exec(tail) ?? []
  return error === undefined ? '' : `: ${error}`
}

/** Empty if the major versions are equal or one is unknown. `kernel`: the text of /proc/version; `ours`: the output of gcc -dumpversion. */
export function compilerWarning(kernel: string, ours: string): string {
  const [, theirs] = /\bgcc\b.*?(\d+)\.\d+\.\d+/.exec(kernel) ?? []
  const [, mine] = /^(\d+)/.exec(ours) ?? []
  if (theirs === undefined || mine === undefined || theirs === mine) return ''
  return `the kernel was built with gcc ${theirs}, but the module with gcc ${mine}`
}

/** Why the module is not for this kernel, empty if it is. The kernel would refuse it with a less clear error. */
async function wrongVermagic(host: HostWriter, file: string, release: string): Promise<string> {
  const { status, stdout, stderr } = await host.exec(['modinfo', '-F', 'vermagic', file], { timeout: 10_000 })
  if (status !== 0) return `modinfo does not understand the module that was built: ${stderr.trim()}`
  const [built = ''] = stdout.split(' ')
  return built === release ? '' : `the module was built for kernel ${built}, but this is ${release}`
}
