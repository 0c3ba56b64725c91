import type { Socket } from 'node:net'

const END = '\r\n\r\n'
/** How every HTTP request begins. */
const BEGINNING = /^[A-Z]{1,20}( |$)/

/**
 * Calls back once with the head of the first request, or with its beginning if it is too long or not HTTP: the parser then reports that.
 * Later data is read and discarded, so that the end of the connection is noticed; more than `most` bytes of it reset the connection.
 */
export function firstHead(socket: Socket, most: number, found: (head: Buffer) => void): void {
  let text: Buffer = Buffer.alloc(0)
  let discarded = 0
  const discard = (bytes: number): void => {
    discarded += bytes
    if (discarded > most) socket.resetAndDestroy()
  }
  const take = (chunk: Buffer): void => {
    text = text.length === 0 ? chunk : Buffer.concat([text, chunk])
    const end = text.indexOf(END)
    const isWrong = text.length > most || !BEGINNING.test(text.toString('latin1', 0, 21).split('\r', 1)[0] as string)
    if (end < 0 && !isWrong) return
    socket.off('data', take)
    socket.on('data', ({ length }) => discard(length))
    const head = Buffer.from(text.subarray(0, (end < 0 ? most : end) + END.length)) // a copy, so that the received buffers can be freed
    discard(text.length - head.length)
    text = head
    if (!socket.destroyed) found(head)
  }
  socket.on('data', take)
  socket.once('end', () => socket.end())
}
