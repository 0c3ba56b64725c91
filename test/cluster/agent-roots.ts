import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execaSync } from 'execa'
import { parseRecording, type RecordedPath } from '../../src/host/recorded.ts'
import { type HostRoot, hostRoot } from '../support/cluster/agent-process.ts'

/** A recorded node laid out as files below a host root, so that a test can change it while it is looked at. Needs root for devices. */
export function recordedRoot(recording: string): HostRoot {
  const root = hostRoot()
  const entries = Object.entries(parseRecording(readFileSync(recording, 'utf8')).paths)
  for (const [path, entry] of entries) lay(join(root.path, path), entry)
  // What a directory lists and nobody asked further about.
  for (const [path, { list = [] }] of entries) for (const name of list) ensure(join(root.path, path, name))
  return root
}

function lay(path: string, { text, lines, list, stat }: RecordedPath): void {
  const content = text ?? (lines && `${[...new Set(Object.values(lines).flat())].join('\n')}\n`)
  if (content !== undefined) write(path, content)
  else if (list !== undefined || stat?.kind === 'directory') mkdirSync(path, { recursive: true })
  else if (stat?.kind === 'character') makeDevice(path, stat)
}

const ensure = (path: string): void => {
  if (!existsSync(path)) write(path, '')
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

function makeDevice(path: string, { device, mode }: { readonly device: string; readonly mode: number }): void {
  mkdirSync(dirname(path), { recursive: true })
  execaSync('mknod', ['--mode', mode.toString(8), path, 'c', ...device.split(':')])
}
