import * as z from 'zod/mini'
import { printable } from '../printable.ts'

// Without this zod compiles each schema with `new Function`, which does not pay off for small values.
z.config({ jitless: true })

/** A value with the expected format, or the first error in it as a sentence. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }

/**
 * `checkForm` checks all data from outside: files, annotations, answers of an API. The message of each schema says what was expected:
 * `made.uptime is "now"; expected seconds`. `whole` is the name of the value in messages. Never throws, however deep the value is nested.
 */
export function checkForm<T>(schema: z.ZodMiniType<T>, value: unknown, whole: string): Checked<T> {
  const found = schema.safeParse(value)
  if (found.success) return { ok: true, value: found.data }
  const [{ path, message }] = found.error.issues as [z.core.$ZodIssue]
  return { ok: false, why: `${placeOf(path) || whole} is ${shown(partOf(value, path))}; expected ${message}` }
}

/** `checkForm` for a text that should be JSON. */
export function checkJson<T>(schema: z.ZodMiniType<T>, text: string, whole: string): Checked<T> {
  try {
    return checkForm(schema, JSON.parse(text), whole)
  } catch {
    return { ok: false, why: `${whole} is not JSON, or it was cut short` }
  }
}

/** `shown` quotes a value for a message, in at most 60 characters and three levels. */
export const shown = (value: unknown): string => (value === undefined ? 'missing' : quoted(JSON.stringify(pruned(value, 3))))

/** A text from outside without control characters, which could forge lines in a log or a terminal. */
export const plainText = (longest: number, expected = `a text of at most ${longest} characters`) =>
  z.string(expected).check(z.maxLength(longest, expected), z.regex(/^[\P{Cc}\n\t]*$/u, expected))

export type Path = readonly PropertyKey[]

/** The value at a path, `undefined` if there is none. */
export const partOf = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((part, key) => (isHolder(part) && Object.hasOwn(part, key) ? part[key] : undefined), value)

const isHolder = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> => typeof value === 'object' && value !== null

const placeOf = (path: Path): string =>
  path
    .map(key => (typeof key === 'number' ? `[${key}]` : `.${quoted(String(key))}`))
    .join('')
    .replace(/^\./, '')

const quoted = (text = ''): string => printable(text.slice(0, 60))

/** The value without the parts that `shown` omits: `JSON.stringify` is recursive and would exceed the stack. */
function pruned(value: unknown, depth: number): unknown {
  if (!isHolder(value)) return typeof value === 'string' ? value.slice(0, 60) : value
  if (Array.isArray(value)) return depth === 0 ? ['…'] : value.slice(0, 20).map(item => pruned(item, depth - 1))
  if (depth === 0) return {}
  const entries = Object.entries(value).slice(0, 20)
  return Object.fromEntries(entries.map(([key, part]) => [key, pruned(part, depth - 1)]))
}
