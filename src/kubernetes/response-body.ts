export const MIB = 1024 * 1024

/** A response that is larger than any that a Kubernetes API gives. */
export class TooLargeError extends Error {
  readonly code = 'TOO_LARGE'
  constructor(maxBytes: number) {
    super(`its response is larger than ${maxBytes / MIB} MiB; check the URL of the server, and any proxy in between`)
    this.name = 'TooLargeError'
  }
}

/** Passes on a body up to so many bytes. Throws `TooLargeError` where there are more, and reads no further. */
export async function* limited(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > maxBytes) throw new TooLargeError(maxBytes)
    yield piece
  }
}

/** The whole text of a body. Throws `TooLargeError`. */
export async function wholeText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of limited(body, maxBytes)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

interface DestroyableBody extends AsyncIterable<Uint8Array> {
  readonly destroy: () => unknown
}

/** Bytes; a Kubernetes `Status` has some hundred. */
const BEGINNING = MIB / 16

/**
 * The beginning of the body of a refusal, as far as it arrives in time (milliseconds). It only adds to a failure that is already known,
 * so a body that hangs or breaks off is not an error.
 */
export async function beginningOf(body: DestroyableBody, timeout: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  const timer = setTimeout(() => body.destroy(), timeout)
  try {
    for await (const piece of body) {
      pieces.push(piece)
      length += piece.length
      if (length >= BEGINNING) break
    }
  } catch {
    // What arrived before is used.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(pieces).subarray(0, BEGINNING).toString()
}
