import { oneLine } from '../../printable.ts'

/** What a Kubernetes `Status` says of a refusal. */
export interface Status {
  /** Its message as `: "…"`, on one line and not too long; empty where there is none. */
  readonly quoted: string
  readonly reason: string
  /** Paths of the fields that the API server found wrong. */
  readonly fields: readonly string[]
}

/** Parses the body of a refusal; a proxy in between may send any text, which is then quoted. */
export function parseStatus(body: string): Status {
  try {
    const { message, reason, details } = JSON.parse(body) as Readonly<Record<string, unknown>>
    const causes = (details as { causes?: unknown } | undefined)?.causes
    return {
      quoted: typeof message === 'string' ? quote(message) : '',
      reason: typeof reason === 'string' ? reason : '',
      fields: Array.isArray(causes) ? causes.map(cause => String((cause as { field?: unknown } | null)?.field)) : []
    }
  } catch {
    return { quoted: quote(body), reason: '', fields: [] }
  }
}

/** Characters of a foreign text that are quoted. */
const QUOTED = 400

function quote(text: string): string {
  const line = oneLine(text)
  if (line === '') return ''
  return `: "${line.length > QUOTED ? `${line.slice(0, QUOTED - 1)}…` : line}"`
}
