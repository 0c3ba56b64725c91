import process from 'node:process'
import { AT_ONCE } from './calls.ts'
import { HostError } from './host.ts'
import { localHost } from './local.ts'

/** The word by which the program starts as a reader; nobody types it. */
export const READER = '--read-for-parent'

/** What is asked of a reader. `pattern` is a regular expression's source, of `lines` only. */
export interface Question {
  readonly id: number
  readonly verb: 'read' | 'lines' | 'list' | 'stat' | 'realpath' | 'statfs'
  readonly path: string
  readonly pattern?: string
}

/** JSON leaves out what is `undefined`, which is the answer for what is not there. */
export interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

/** Said once, before the first answer: how long the start took tells nothing about a mount. */
export const STARTED: Reply = { id: 0 }

/**
 * The other half of `apartHost`: answers its parent's questions about the files below `root`, one after the other. It may hang at any of
 * them, and is killed then. `end` is called when its parent has ended.
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
    // In their order: by the first that is not answered the parent knows which one hangs.
    last = last.then(async () => process.send?.(await reply(question)))
  })
  process.on('disconnect', end)
  process.send?.(STARTED)
}
