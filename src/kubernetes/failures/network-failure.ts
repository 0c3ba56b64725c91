import type { Failure, FailureContext } from './failure.ts'
import { type NetworkMessage, networkMessage } from './network-messages.ts'

/** Why there was no response, or none that can be used; `undefined` where the error has no code and so is not of the network. */
export function networkFailureOf(error: unknown, context: FailureContext): Failure | undefined {
  const { code, message } = innermost(error)
  if (code === '') return undefined
  const { sentence, transient }: NetworkMessage = networkMessage(code) ?? {
    sentence: () => `the connection failed: ${message} (${code})`
  }
  return { sentence: sentence(context, message), code, transient: transient ?? false, cause: error }
}

/** How many levels of `cause` are read. */
const DEPTH = 8

/** The innermost error of the chain of causes that has a code is the most precise one. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  let found = { code: '', message: '' }
  for (let next = error, depth = 0; next instanceof Error && depth < DEPTH; next = next.cause, depth++) {
    const code = codeOf(next)
    if (code !== '') found = { code, message: next.message }
  }
  return found
}

function codeOf(error: NodeJS.ErrnoException): string {
  if (error.name === 'TimeoutError') return 'TimeoutError'
  if (error instanceof SyntaxError) return 'INVALID_RESPONSE' // of JSON.parse
  return typeof error.code === 'string' ? error.code : ''
}
