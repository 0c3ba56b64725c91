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
  /** A directory of ours with some megabytes, outside the host. */
  readonly scratch: string
}

/** Compiling takes 2 s on a machine of two cores (milliseconds). */
const PATIENCE = 300_000

/**
 * Compiles the module in a scratch directory, in a mount namespace of its own where the host's headers lie at their own paths, since
 * they hold absolute includes. The headers stay read-only. The scratch directory is left for the caller to load from. Nothing of it
 * outlives this process, however that ends.
 */
export async function build(host: HostWriter, { release, source, scratch }: BuildTerms): Promise<Built> {
  const directory = await newBuildFolder(scratch)
  for (const [name, text] of source.files) await writeFile(join(directory, name), text, { flag: 'wx' })
  const { status, stderr, stdout } = await host.exec(
    [...TIED, 'sh', '-euc', SCRIPT, 'build', host.inside('/'), release, directory],
    { timeout: PATIENCE, environment: { LC_ALL: 'C' } }
  )
  const tail = buildTail(`${stdout}\n${stderr}`)
  if (status === 127 && /not found/.test(tail) === false)
    return { ok: false, why: "setpriv, unshare or sh is missing in the helper's image", tail }
  if (status !== 0) return { ok: false, why: `make ended with status ${status}${REASONS(tail)}`, tail }
  const file = join(directory, 'shiftfs.ko')
  const wrong = await wrongVermagic(host, file, release)
  if (wrong !== '') return { ok: false, why: wrong, tail }
  const kernel = (await host.read('/proc/version')) ?? ''
  return { ok: true, file, warning: compilerWarning(kernel, /^our gcc: (.+)$/m.exec(stdout)?.[1] ?? '') }
}

/** The kernel ends unshare with this process, and with unshare everything in its namespace of processes. */
const TIED = [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child']
] as const

/**
 * ROOT RELEASE DIRECTORY. Below another root the host's folders are bound over ours; kbuild's own folder is reached from
 * /usr/src by a relative link.
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

const REASONS = (tail: string): string => {
  const [, program] = /(\S+): (?:command )?not found/.exec(tail) ?? []
  if (program !== undefined) return `: ${program} is not installed in the helper's image`
  if (/unshare failed: No space left/.test(tail))
    return ': this node allows no more namespaces (user.max_mnt_namespaces, user.max_pid_namespaces)'
  if (/No space left on device/.test(tail)) return ': no space left in the scratch directory'
  const [, error] = /error: ([^\n]+)/i.exec(tail) ?? []
  return error === undefined ? '' : `: ${error}`
}

/** Empty where the major versions agree, or one of them does not say. `kernel`: /proc/version; `ours`: what gcc -dumpversion says. */
export function compilerWarning(kernel: string, ours: string): string {
  const [, theirs] = /\bgcc\b.*?(\d+)\.\d+\.\d+/.exec(kernel) ?? []
  const [, mine] = /^(\d+)/.exec(ours) ?? []
  if (theirs === undefined || mine === undefined || theirs === mine) return ''
  return `the kernel was built with gcc ${theirs}, but the module with gcc ${mine}`
}

/** A module for another kernel is refused by the kernel with a text that says less. */
async function wrongVermagic(host: HostWriter, file: string, release: string): Promise<string> {
  const { status, stdout, stderr } = await host.exec(['modinfo', '-F', 'vermagic', file], { timeout: 10_000 })
  if (status !== 0) return `modinfo does not understand the module that was built: ${stderr.trim()}`
  const [built = ''] = stdout.split(' ')
  return built === release ? '' : `the module was built for kernel ${built}, but this is ${release}`
}
