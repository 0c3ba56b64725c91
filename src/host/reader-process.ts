import process from 'node:process'
import { AT_ONCE } from './calls.ts'
import { HostError } from './host.ts'
import { localHost } from './local.ts'

/** The argument that starts this program as a reader process. It is not an option for users. */
export const READER = '--read-for-parent'

/** A question to the reader process. `pattern` is the source of a regular expression without flags; only `lines` has one. */
export interface Question {
  readonly id: number
  readonly verb: 'read' | 'lines' | 'list' | 'stat' | 'realpath' | 'statfs'
  readonly path: string
  readonly pattern?: string
}

/** A missing `value` means that the path does not exist: JSON leaves out `undefined`. */
export interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

/** Sent once, before the first answer: only then does the time for an answer say something about a mount. */
export const STARTED: Reply = { id: 0 }

/**
 * The child's half of `apartHost`: answers its parent's questions about the files below `root`, one after the other. If it hangs at one,
 * the parent kills it. `end` is called when the parent has ended.
 */
export function serveReader(root: string, end: () => void): void {
  const host = localHost(root, () => AT_ONCE)
  const answer = ({ verb, path, pattern = '' }: Question): Promise<unknown> =>
    verb === 'lines' ? host.lines(path, new RegExp(pattern)) : host[verb](path)
  const reply = async (question: Question): Promise<Reply> => {
    try {
      return { id: question.id, value: await answer(question) }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return { id: question.id, error: { code: error.code, message: error.message } }
    }
  }
  let last: Promise<unknown> = Promise.resolve()
  process.on('message', (question: Question) => {
    // In order: the first question without an answer is the one at which this process hangs.
    last = last.then(async () => process.send?.(await reply(question)))
  })
  process.on('disconnect', end)
  process.send?.(STARTED)
}
