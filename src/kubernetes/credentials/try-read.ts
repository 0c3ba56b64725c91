import { readFileSync } from 'node:fs'

export type Read = { readonly ok: true; readonly value: Buffer } | { readonly ok: false; readonly why: string }

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory'
}

/** The content of a file, or in a few words why it cannot be read. */
export function tryRead(file: string): Read {
  try {
    return { ok: true, value: readFileSync(file) }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { ok: false, why: REASONS[code] ?? message }
  }
}
