import type { Socket } from 'node:net'

const END = '\r\n\r\n'
/** How every request begins. What begins otherwise is no HTTP. */
const BEGINNING = /^[A-Z]{1,20}( |$)/

/**
 * Calls back once, with the head of the first request; with less where it is too long or no HTTP, which a parser then says. What comes
 * after it is read and thrown away, so that the end of the connection is noticed; whoever sends more than that is cut off.
 */
export function firstHead(socket: Socket, most: number, found: (head: Buffer) => void): void {
  let text: Buffer = Buffer.alloc(0)
  let behind = 0
  const pass = (bytes: number): void => {
    behind += bytes
    if (behind > most) socket.resetAndDestroy()
  }
  const take = (chunk: Buffer): void => {
    text = text.length === 0 ? chunk : Buffer.concat([text, chunk])
    const end = text.indexOf(END)
    const isWrong = text.length > most || !BEGINNING.test(text.toString('latin1', 0, 21).split('\r', 1)[0] as string)
    if (end < 0 && !isWrong) return
    socket.off('data', take)
    socket.on('data', ({ length }) => pass(length))
    const head = Buffer.from(text.subarray(0, (end < 0 ? most : end) + END.length)) // its own: what it came in can be freed
    pass(text.length - head.length)
    text = head
    if (!socket.destroyed) found(head)
  }
  socket.on('data', take)
  socket.once('end', () => socket.end())
}
