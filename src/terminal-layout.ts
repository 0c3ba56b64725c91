import { printable } from './printable.ts'

/** Breaks a text at spaces so that no line is wider; a longer word stays whole. Steering characters are spelled out. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of printable(text.replaceAll('\n', ' ')).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** Adds colours to a text. They have no width, so a text is painted after it was padded or wrapped. */
type Style = (text: string) => string

const unstyled: Style = text => text

export interface Cell {
  readonly text: string
  /** The width of the column, with the gap to the next one; without it the cell is as wide as its text. */
  readonly width?: number
  readonly style?: Style
}

/** The text of a cell, with spaces up to the width of its column. */
export const padded = ({ text, width = 0, style = unstyled }: Cell): string =>
  `${style(text)}${' '.repeat(Math.max(0, width - text.length))}`

/** The narrowest that a text is wrapped, however narrow the terminal is. */
const NARROWEST = 20

export interface Row {
  /** They stand before the text, each in its column. */
  readonly cells?: readonly Cell[]
  readonly text: string
  /** The width of the terminal. */
  readonly columns: number
  /** How far the second and further lines are indented; as wide as the cells by default. */
  readonly indent?: number
  /** For the lines of the text. */
  readonly style?: Style
}

/** Cells and a text that is wrapped beside them. Where a cell is too long for its column, the text begins on the next line. */
export function row({ cells = [], text, columns, indent = widthOf(cells), style = unstyled }: Row): readonly string[] {
  const lines = wrap(text, Math.max(NARROWEST, columns - indent))
  const lead = cells.map(padded).join('')
  const below = lines.map(line => ' '.repeat(indent) + style(line))
  if (cells.some(({ text: cell, width = Number.POSITIVE_INFINITY }) => cell.length >= width)) return [lead.trimEnd(), ...below]
  return [lead + style(lines[0] as string), ...below.slice(1)]
}

const widthOf = (cells: readonly Cell[]): number => cells.reduce((sum, { text, width = text.length }) => sum + width, 0)

/** A wrapped text whose lines are all indented. */
export const paragraph = (text: string, columns: number, indent = 0, style = unstyled): readonly string[] =>
  row({ cells: [{ text: ' '.repeat(indent) }], text, columns, style })
