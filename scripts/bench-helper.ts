import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { parseKernel } from '../src/facts/kernel.ts'
import { observe } from '../src/facts/observe.ts'
import { localWriter } from '../src/host/local-writer.ts'
import type { HostWriter } from '../src/host/writer.ts'
import { build } from '../src/remedies/shiftfs/build.ts'
import { findSource } from '../src/remedies/shiftfs/source.ts'
import { tryAll } from '../src/trials/run-trials.ts'
import { machineImage } from '../test/machine/image.ts'
import { MODULES } from '../test/machine/stand-in.ts'
import { line } from './bench-print.ts'
import { memory } from './bench-process.ts'

const RUNS = 7

/** What the privileged half costs this machine. Needs root; about three minutes, of which it waits two. */
export async function benchHelper(bundle: string, env: Record<string, string>): Promise<void> {
  await benchProofs()
  await benchBuild()
  await benchIdle(bundle, env)
}

async function benchProofs(): Promise<void> {
  const host = localWriter('/')
  const times: number[] = []
  for (let index = 0; index <= RUNS; index += 1) {
    const begin = performance.now()
    const proofs = await tryAll(host)
    await observe({ host, node: undefined, podSecurity: undefined, proofs }, () => performance.now())
    times.push(performance.now() - begin)
  }
  line('helper: look and proofs, the first', times.slice(0, 1), 'ms')
  line('helper: look and proofs, then', times.slice(1), 'ms')
}

/** On the disk of the test machines, with its compiler and a kernel's real headers, but natively. */
async function benchBuild(): Promise<void> {
  const image = await machineImage()
  const { release } = image.kernels['6.1']
  const folder = await mkdtemp(join(tmpdir(), 'berth-bench-build-'))
  const [disk, root, scratch] = ['disk', 'root', 'scratch'].map(name => join(folder, name)) as [string, string, string]
  try {
    for (const path of [disk, root, join(folder, 'upper'), join(folder, 'work')]) await mkdir(path)
    await execa('mount', ['-o', 'loop,ro', image.rootDisk, disk])
    const layers = `lowerdir=${disk},upperdir=${folder}/upper,workdir=${folder}/work`
    await execa('mount', ['-t', 'overlay', '-o', layers, 'overlay', root])
    await execa('mount', ['--bind', '/dev', join(root, 'dev')])
    for (const path of [scratch, join(root, scratch)]) await mkdir(path, { recursive: true, mode: 0o700 })
    await execa('mount', ['--bind', scratch, join(root, scratch)])
    const kernel = parseKernel(release)
    if (kernel === undefined) throw new Error(`"${release}" is no kernel release`)
    await cp(join(MODULES, 'shiftfs'), join(folder, 'source/k6.1'), { recursive: true })
    const source = await findSource(join(folder, 'source'), kernel)
    const [ours, alone]: [number[], number[]] = [[], []]
    for (let index = 0; index <= RUNS; index += 1) {
      const begin = performance.now()
      const built = await build(inside(root), { release, source, scratch })
      const middle = performance.now()
      if (!built.ok) throw new Error(`${built.why}\n${built.tail}`)
      const plain = await mkdtemp(join(scratch, 'plain-'))
      for (const [name, text] of source.files) await writeFile(join(plain, name), text)
      const again = performance.now()
      await execa('chroot', [root, 'make', '-C', `/lib/modules/${release}/build`, `M=${plain}`, 'CC=gcc', 'modules'])
      if (index > 0) {
        ours.push(middle - begin)
        alone.push(performance.now() - again)
      }
    }
    line(`make alone, for ${release}`, alone, 'ms')
    line('helper: build, checked for its kernel', ours, 'ms')
    // Pair by pair, since they follow each other.
    const ratios = ours.map((one, index) => one / (alone[index] ?? Number.NaN))
    line('  times make alone', ratios, '')
  } finally {
    for (const path of [join(root, scratch), join(root, 'dev'), root, disk]) await execa('umount', [path], { reject: false })
    await rm(folder, { recursive: true, force: true })
  }
}

/** Programs run on another root. */
const inside = (root: string): HostWriter => {
  const host = localWriter(root)
  const here = localWriter('/')
  return { ...host, inside: path => path, exec: (argv, options) => here.exec(['chroot', root, ...argv], options) }
}

async function benchIdle(bundle: string, env: Record<string, string>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-bench-helper-'))
  const child = execa(process.execPath, [bundle, 'helper', '--handover', join(folder, 'handover.json')], {
    ...{ env, stdout: 'ignore', reject: false }
  })
  try {
    await sleep(70_000) // the first look and the second
    const before = await children(child.pid as number)
    await sleep(60_000)
    line('helper: resident memory at rest', [memory(child.pid as number, 'VmRSS')], 'MiB')
    line('helper: of that anonymous', [memory(child.pid as number, 'RssAnon')], 'MiB')
    line('helper: page faults of programs it ran, a minute', [(await children(child.pid as number)) - before], '')
  } finally {
    child.kill('SIGTERM')
    await child
    await rm(folder, { recursive: true, force: true })
  }
}

/** Minor page faults of children that ended (proc(5), cminflt): not even the smallest program runs without some. */
async function children(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[8])
}
