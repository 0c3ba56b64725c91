const DEPTH = 5
const ITEMS = 50
const SECRET_NAME = /authorization|cookie|token|password|passwd|secret|credential|headers|private.?key|client.?key/i

/** A value that is safe to log: without secrets and of limited size; of an error only message, code and status. */
export function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return value
  if (typeof value !== 'object') return typeof value === 'bigint' ? String(value) : `[${typeof value}]`
  if (value instanceof Error) return errorFields(value)
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

/** The errors of HTTP clients contain the request with its Authorization header, and the whole response. */
function errorFields(error: Error): Readonly<Record<string, unknown>> {
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown }
  return {
    message: redact(String(error.message)),
    ...(typeof code === 'string' && code !== '' ? { code: redact(code) } : {}),
    ...(typeof code === 'number' ? { code } : {}),
    ...(typeof status === 'number' && status !== 0 ? { status } : {})
  }
}

/** A longer text is cut before it is searched, to limit the length of a line and the time to search it. */
const LENGTH = 4_000

const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g, '[redacted]'],
  [/\b(authorization["']?\s*[:=])[^\r\n]+/gi, '$1 [redacted]'],
  [/(bearer)[\s:="']+[^\s"',]+/gi, '$1 [redacted]'],
  // A JSON web token begins with the base64 of `{"`, rarely of `{ ` or of a brace and a line end.
  [/ey[I-L][\w-]{8,}(?:\.[\w-]*){0,2}/g, '[redacted]'],
  [/e(?:yA|w[ko0])[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, '[redacted]'],
  // Tokens of the credential plugins of EKS and GKE, and user names with passwords in URLs.
  [/k8s-aws-v1\.[\w+/=-]+/g, '[redacted]'],
  [/ya29\.[\w.-]+/g, '[redacted]'],
  [/(:\/\/)[^\s/@]+@/g, '$1[redacted]@']
]

/** The text with everything replaced that looks like a token, a key or a password. */
export const redact = (text: string): string =>
  SECRETS.reduce(
    (left, [pattern, replacement]) => left.replace(pattern, replacement),
    text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text
  )
