import { randomBytes } from 'node:crypto'
import { request } from 'node:http'

/** An answer of the API server; its errors have no content type, and some have no body. */
export interface Answer {
  readonly status: number
  readonly text: string
}

/** The API server of a Bottlerocket node could not be asked, or said no. */
export class BottlerocketError extends Error {
  /** It will say the same again: the call or the setting does not exist there, or we may not. */
  readonly isFinal: boolean
  constructor(message: string, isFinal: boolean, cause?: unknown) {
    super(message, { cause })
    this.name = 'BottlerocketError'
    this.isFinal = isFinal
  }
}

const PATIENCE = 5_000
const LONGEST = 256 * 1024

const DOTTED = 'user.max_user_namespaces'
const SLASHED = 'user/max_user_namespaces'

export interface Sysctls {
  readonly dotted: string | undefined
  /** The other spelling of the same setting, which is applied apart from the first, in any order. */
  readonly slashed: string | undefined
}

/** What the API holds for the limit, in both spellings. Throws `BottlerocketError`. */
export async function readLimit(socket: string): Promise<Sysctls> {
  const keys = [`settings.kernel.sysctl.%22${DOTTED}%22`, `settings.kernel.sysctl.${SLASHED}`].join(',')
  const { status, text } = await ask(socket, 'GET', `/settings?keys=${keys}`)
  // Early at boot there are no settings at all, which is said in words.
  if (status === 404 && text !== '') return { dotted: undefined, slashed: undefined }
  if (status !== 200) throw refused('read the setting', { status, text })
  const found = parse(text)
  return { dotted: found[DOTTED], slashed: found[SLASHED] }
}

function parse(text: string): Readonly<Record<string, string | undefined>> {
  try {
    const { kernel } = JSON.parse(text) as { kernel?: { sysctl?: Record<string, string> } }
    return kernel?.sysctl ?? {}
  } catch (error) {
    throw new BottlerocketError('the Bottlerocket API answered with something that is not JSON', false, error)
  }
}

/**
 * Stages the value, in both spellings where the other one is set too, and applies it, in a transaction of a name of our own. That it
 * says it did proves nothing about the kernel. Throws `BottlerocketError`; after a 500 the value may be committed all the same.
 */
export async function setLimit(socket: string, value: number, { slashed }: Sysctls): Promise<void> {
  const name = `berth-${randomBytes(8).toString('hex')}`
  const text = String(value)
  const sysctl = { [DOTTED]: text, ...(slashed === undefined ? {} : { [SLASHED]: text }) }
  const staged = await ask(socket, 'PATCH', `/settings?tx=${name}`, JSON.stringify({ kernel: { sysctl } }))
  if (staged.status !== 204) throw refused('stage the setting', staged)
  const applied = await ask(socket, 'POST', `/tx/commit_and_apply?tx=${name}`)
  if (applied.status !== 200) throw refused('apply the setting', applied)
}

/** An empty 404 means that there is no such call; what is passing is said by 5xx, or by words about what is not there yet. */
function refused(tried: string, { status, text }: Answer): BottlerocketError {
  const says = text.trim() === '' ? '' : `: ${text.trim().slice(0, 200)}`
  const isFinal = status === 400 || status === 401 || status === 403 || (status === 404 && text === '')
  return new BottlerocketError(`the Bottlerocket API refused to ${tried} (${status})${says}`, isFinal)
}

/** One request on a connection of its own: a stray body after a 204 would stand before the next answer. */
function ask(socketPath: string, method: 'GET' | 'PATCH' | 'POST', path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const { code = '' } = error as NodeJS.ErrnoException
      const isFinal = code === 'EACCES' || code === 'EPERM' || code === 'ENOENT' || code === 'ENOTSOCK'
      reject(new BottlerocketError(`the Bottlerocket API cannot be reached: ${error.message}`, isFinal, error))
    }
    const headers = { host: 'localhost', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const asked = request({ socketPath, method, path, headers, agent: false, signal: AbortSignal.timeout(PATIENCE) }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece: string) => {
        text += piece
        if (text.length > LONGEST) asked.destroy(new Error('its answer does not end'))
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      answer.on('error', fail)
    })
    asked.on('error', fail)
    asked.end(body)
  })
}
