import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { HostError } from '../../../src/host/host.ts'

/** A file with its text, a symbolic link, or an empty directory. */
export type Entry = string | Buffer | { readonly link: string } | 'directory/'

/** A directory of this test's own, as a node's root, gone when the test ends. */
export function temporary(entries: Readonly<Record<string, Entry>> = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'berth-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, entry] of Object.entries(entries)) put(join(root, path), entry)
  return root
}

function put(path: string, entry: Entry): void {
  mkdirSync(dirname(path), { recursive: true })
  if (entry === 'directory/') mkdirSync(path, { recursive: true })
  else if (typeof entry === 'string' || Buffer.isBuffer(entry)) writeFileSync(path, entry)
  else symlinkSync(entry.link, path)
}

/** A program of the node. */
export function script(root: string, text: string): string {
  const path = join(root, 'script.sh')
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

/** The HostError that a look ends with; anything else fails the test. */
export async function refusal(look: Promise<unknown>): Promise<HostError> {
  const end = await look.then(
    value => ({ value }),
    (error: unknown) => ({ error })
  )
  if ('error' in end && end.error instanceof HostError) return end.error
  throw new Error(`expected a HostError, got ${JSON.stringify(end)}`, { cause: 'error' in end ? end.error : undefined })
}

/** Root may read everything, so for a while we are nobody; an ordinary user stays who they are. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    return await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}
