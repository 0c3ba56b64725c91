import { styleText } from 'node:util'
import { printable } from './printable.ts'

/** How output looks on one screen: colours or none, and how wide. */
export interface Paint {
  readonly columns: number
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly answer: (answer: string, text?: string) => string
}

const COLORS: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = {
  yes: 'green',
  no: 'red',
  unknown: 'yellow',
  true: 'green',
  false: 'red'
}

export function painter({ color, columns }: { readonly color: boolean; readonly columns: number }): Paint {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text
  return {
    columns,
    bold: text => style('bold', text),
    dim: text => style('dim', text),
    answer: (answer, text = answer) => {
      const hue = COLORS[answer]
      return hue === undefined ? text : style(hue, text)
    }
  }
}

/** Breaks a text at spaces so that no line is wider; a word that is wider itself stays whole. What would steer a terminal is spelt. */
export function wrap(text: string, width: number): readonly string[] {
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

/** A first line after its lead, and the following ones below its text. `lead` may hold colours; `leadWidth` is what is seen of it. */
export function hang(
  lead: string,
  leadWidth: number,
  text: string,
  columns: number,
  paint: (line: string) => string = line => line
): readonly string[] {
  return wrap(text, Math.max(20, columns - leadWidth)).map(
    (line, index) => (index === 0 ? lead : ' '.repeat(leadWidth)) + paint(line)
  )
}
