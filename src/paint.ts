import { styleText } from 'node:util'

/** The colours of the output, if any, and its width. */
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
