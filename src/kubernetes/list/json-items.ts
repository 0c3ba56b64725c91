/** Parses a JSON list (`{…, "items": [{…}, …]}`) that arrives in pieces, item by item. */
export interface JsonItems {
  /** Throws `SyntaxError` where an item is not JSON, or does not end. */
  readonly push: (piece: Uint8Array) => void
  /** The list without its items. Throws `SyntaxError` where it is not complete. */
  readonly end: () => unknown
}

/** etcd stores no object larger than 1.5 MiB; a list without its items is some hundred bytes. */
const LONGEST = 4 * 1024 * 1024

/**
 * Calls `onItem` with each item. A page of 500 Nodes is 10 MB of text, and several times that as one value. Here only the braces are
 * counted, and each item is parsed alone, so that at most one is in memory.
 */
export function jsonItems(onItem: (item: unknown) => void): JsonItems {
  const place: Place = { depth: 0, isList: false, text: OUTSIDE }
  const [item, frame] = [collector(), collector()]
  const endItem = (bytes: Buffer, from: number, to: number): number => {
    onItem(JSON.parse(item.take(bytes.subarray(from, to))))
    return to
  }
  /** The comma between two items of a list is dropped. */
  const onMember = (bytes: Buffer, from: number, at: number): number => {
    const wasList = place.isList
    place.isList = bytes[at] === LIST
    if (place.isList) frame.add(bytes.subarray(from, at + 1))
    return place.isList || wasList ? at : from
  }
  /** Handles the text from `from` to the brace at `at`. Returns the position up to which all is handled. */
  const onBrace = (bytes: Buffer, from: number, at: number): number => {
    const isOpening = ((bytes[at] as number) & 0xdf) === OPENING
    // The depth after an opening brace, and before a closing one.
    const depth = isOpening ? ++place.depth : place.depth--
    if (depth === 3 && place.isList) return isOpening ? at : endItem(bytes, from, at + 1)
    return depth === 2 ? onMember(bytes, from, at) : from
  }
  return {
    push: piece => {
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      let from = 0
      for (let at = nextBrace(place, bytes, 0); at < bytes.length; at = nextBrace(place, bytes, at + 1)) {
        from = onBrace(bytes, from, at)
      }
      if (!place.isList) frame.add(bytes.subarray(from))
      else if (place.depth > 2) item.add(bytes.subarray(from))
    },
    end: () => JSON.parse(frame.take())
  }
}

/** The state of the parser. */
interface Place {
  depth: number
  /** In a list that is a value of the outermost object. */
  isList: boolean
  text: typeof OUTSIDE | typeof INSIDE | typeof ESCAPED
}

const [OUTSIDE, INSIDE, ESCAPED] = [0, 1, 2] as const
const [QUOTE, BACKSLASH, LIST] = [0x22, 0x5c, 0x5b]

/** `[` and `{` differ in one bit, and so do `]` and `}`. */
const [OPENING, CLOSING] = [0x5b, 0x5d]

/** The position of the next brace outside of texts, or the end. It runs for every byte, of which there may be 300 MB. */
function nextBrace(place: Place, bytes: Buffer, from: number): number {
  let text = place.text
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (text === ESCAPED) text = INSIDE
    else if (byte === QUOTE) text = text === INSIDE ? OUTSIDE : INSIDE
    else if (text === INSIDE) {
      if (byte === BACKSLASH) text = ESCAPED
    } else if (isBrace(byte)) break
  }
  place.text = text
  return at
}

const isBrace = (byte: number): boolean => (byte & 0xdf) === OPENING || (byte & 0xdf) === CLOSING

/** Collects the pieces of one text, as copies: the memory of a piece may be used again. */
function collector() {
  let [parts, length]: [Buffer[], number] = [[], 0]
  return {
    add: (part: Buffer): void => {
      length += part.length
      if (length > LONGEST) throw new SyntaxError('a part of the list does not end')
      parts.push(Buffer.from(part))
    },
    /** Returns all pieces and the last one, which is not copied: most items are in one piece. */
    take: (last: Buffer = EMPTY): string => {
      const text = (parts.length === 0 ? last : Buffer.concat([...parts, last])).toString()
      parts = []
      length = 0
      return text
    }
  }
}

const EMPTY = Buffer.alloc(0)
