/** An answer that is larger than any that a Kubernetes API gives. */
export class TooLargeError extends Error {
  readonly code = 'TOO_LARGE'
  constructor(most: number) {
    super(`its answer does not end within ${most / MIB} MiB; check the URL of the server, and what stands in between`)
    this.name = 'TooLargeError'
  }
}

export const MIB = 1024 * 1024

/** What comes of a body, as long as that is not more than so many bytes. Throws `TooLargeError`, and nothing more is read then. */
export async function* bounded(body: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > most) throw new TooLargeError(most)
    yield piece
  }
}

/** The whole text of a body. Throws `TooLargeError`. */
export async function wholeText(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of bounded(body, most)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

interface Ending extends AsyncIterable<Uint8Array> {
  readonly destroy: () => unknown
}

/** A Kubernetes `Status` has some hundred bytes. */
const BEGINNING = MIB / 16

/**
 * The beginning of a body, as far as it comes in time (milliseconds): it says more about a failure that is known already, so however the
 * body goes on or breaks off, nothing is lost.
 */
export async function beginningOf(body: Ending, longest: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  const timer = setTimeout(() => body.destroy(), longest)
  try {
    for await (const piece of body) {
      pieces.push(piece)
      length += piece.length
      if (length >= BEGINNING) break
    }
  } catch {
    // What came before is what there is.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(pieces).subarray(0, BEGINNING).toString()
}
