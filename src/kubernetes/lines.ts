import { ApiError } from './api-error.ts'

/** etcd stores no object larger than 1.5 MiB (characters). */
const LONGEST_LINE = 4 * 1024 * 1024

/** The lines of a stream without empty ones; a piece may end inside a line, and inside a character. Throws `ApiError`. */
export async function* readLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of pieces) {
    const text = decoder.decode(piece, { stream: true })
    rest += text
    if (text.includes('\n')) {
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      yield* lines.filter(line => line !== '')
    }
    if (rest.length > LONGEST_LINE)
      throw new ApiError('the watch sent a line that does not end', { code: 'INVALID_RESPONSE', transient: true })
  }
}
