import type { Environment } from './environment.ts'

/** Where the output appears. */
export interface Screen {
  readonly color: boolean
  /** 40 to 200. */
  readonly columns: number
  /** A person reads the output as it is printed, and it can be drawn again. */
  readonly isTerminal: boolean
}

/** Standard output, as Node.js describes it. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Only a terminal gets colours, and none if NO_COLOR is set (https://no-color.org). */
export function screenOf(environment: Environment, { isTTY, columns }: Output): Screen {
  const width = isTTY ? columns : Number(environment['COLUMNS'] ?? '')
  const isTerminal = isTTY === true && environment['TERM'] !== 'dumb'
  return {
    color: isTerminal && !environment['NO_COLOR'],
    columns: Math.min(200, Math.max(40, width || 80)),
    isTerminal
  }
}
