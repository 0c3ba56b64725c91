const DEPTH = 5
const ITEMS = 50
const SECRET_NAME = /authorization|cookie|token|password|passwd|secret|credential|headers|private.?key|client.?key/i

/** A value as it may be written: of an error the message, code and status alone, no secrets, and an end to it. */
export function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return value
  if (typeof value !== 'object') return typeof value === 'bigint' ? String(value) : `[${typeof value}]`
  if (value instanceof Error) return told(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[no date]' : value.toISOString()
  if (ArrayBuffer.isView(value)) return '[bytes]'
  return depth >= DEPTH ? '[…]' : inside(value, depth + 1)
}

function inside(value: object, depth: number): unknown {
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, ITEMS).map(item => plain(item, depth))
  const entries: readonly (readonly [unknown, unknown])[] = value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(
    entries.slice(0, ITEMS).map(([key, inner]) => {
      const name = String(key)
      return [redact(name), SECRET_NAME.test(name) ? '[redacted]' : plain(inner, depth)]
    })
  )
}

/** A client's error carries the request with its Authorization header, the whole answer, and a stack nobody needs. */
function told(error: Error): Readonly<Record<string, unknown>> {
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown }
  return {
    message: redact(String(error.message)),
    ...(typeof code === 'string' && code !== '' ? { code: redact(code) } : {}),
    ...(typeof code === 'number' ? { code } : {}),
    ...(typeof status === 'number' && status !== 0 ? { status } : {})
  }
}

/** A longer text is cut, before it is searched, so that a line and the time for it have an end. */
const LENGTH = 4_000

const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g, '[redacted]'],
  [/\b(authorization["']?\s*[:=])[^\r\n]+/gi, '$1 [redacted]'],
  [/(bearer)[\s:="']+[^\s"',]+/gi, '$1 [redacted]'],
  // A JSON web token begins with the base64 of `{"`, seldom of `{ ` or of a brace and the end of a line.
  [/ey[I-L][\w-]{8,}(?:\.[\w-]*){0,2}/g, '[redacted]'],
  [/e(?:yA|w[ko0])[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, '[redacted]'],
  // What the credential programs of EKS and GKE give, and user names with passwords in URLs.
  [/k8s-aws-v1\.[\w+/=-]+/g, '[redacted]'],
  [/ya29\.[\w.-]+/g, '[redacted]'],
  [/(:\/\/)[^\s/@]+@/g, '$1[redacted]@']
]

/** A text without anything that looks like a token, a key or a password in it. */
export const redact = (text: string): string =>
  SECRETS.reduce(
    (left, [pattern, replacement]) => left.replace(pattern, replacement),
    text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text
  )
