import { randomBytes } from 'node:crypto'
import { request } from 'node:http'

/**
 * The two names of one kernel value, `user.max_user_namespaces` and `user/max_user_namespaces`. The API stores both and applies them in
 * random order.
 */
export const spellings = (sysctl: string): readonly [dots: string, slashes: string] => [sysctl, sysctl.replaceAll('.', '/')]
/** The stored texts by spelling, without spellings that are not set. */
export type Setting = Readonly<Record<string, string>>

/** `absent`: there is no socket; `refused`: this node never accepts the request; `passing`: the request may succeed later. */
export type ApiTrouble = 'absent' | 'refused' | 'passing'

export class BottlerocketError extends Error {
  readonly trouble: ApiTrouble
  constructor(trouble: ApiTrouble, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BottlerocketError'
    this.trouble = trouble
  }
}

/** The calls that berth makes. All throw `BottlerocketError`. */
export interface BottlerocketApi {
  /** The committed setting. The kernel may have another value. */
  readonly read: () => Promise<Setting>
  /** Stages a setting in a new transaction and returns the transaction's name. A refused transaction is dropped. */
  readonly stage: (setting: Setting) => Promise<string>
  /** An error does not mean that nothing was committed: the server sends a 500 after the commit. */
  readonly commit: (transaction: string) => Promise<void>
  /** Drops a transaction of ours. */
  readonly drop: (transaction: string) => Promise<void>
  /** Drops the transactions that a killed run of berth staged and did not commit. */
  readonly sweep: () => Promise<void>
}

/** The time for a whole exchange (milliseconds); the real server answers within 25. */
const TIMEOUT = 5_000
/** The size limit of an answer (bytes). */
const MOST = 64 * 1024
/** The names of our transactions. An empty name would affect all transactions, another one those of another program. */
const OUR_NAME = /^berth-[0-9a-f]{16}$/

/**
 * One sysctl in Bottlerocket's API server, at its Unix socket. `/tx/apply` is never called: its 204 is followed by bytes that break HTTP
 * framing, and staging and committing the same value again applies it too.
 */
export function bottlerocketApi(socket: string, sysctl: string, timeout = TIMEOUT): BottlerocketApi {
  const [dots, slashes] = spellings(sysctl)
  const keys = `settings.kernel.sysctl."${dots}",settings.kernel.sysctl.${slashes}`
  const send = async (method: Method, path: string, body = '') => {
    const answer = await exchange({ socket, method, path, body, timeout })
    const trouble = troubleOf(answer)
    if (trouble === undefined) return answer.text
    throw new BottlerocketError(trouble, `the Bottlerocket API answered ${method} ${withoutQuery(path)} with ${quoted(answer)}`)
  }
  const drop = async (transaction: string) => {
    await send('DELETE', `/tx?tx=${ours(transaction)}`)
  }
  return {
    read: async () => {
      // A filtered GET returns `{}` with 200 before the settings exist, so the transaction of the boot is checked first.
      const pending = jsonOf(await send('GET', '/tx/list'))
      if (Array.isArray(pending) && pending.includes('bottlerocket-launch')) {
        throw new BottlerocketError('passing', 'the Bottlerocket API has not committed the settings of this boot yet')
      }
      return parseSetting(jsonOf(await send('GET', `/settings?keys=${encodeURIComponent(keys)}`)), sysctl)
    },
    stage: async setting => {
      const transaction = `berth-${randomBytes(8).toString('hex')}`
      try {
        await send('PATCH', `/settings?tx=${ours(transaction)}`, JSON.stringify({ kernel: { sysctl: setting } }))
        return transaction
      } catch (error) {
        await drop(transaction).catch(() => undefined)
        throw error
      }
    },
    commit: async transaction => {
      await send('POST', `/tx/commit_and_apply?tx=${ours(transaction)}`)
    },
    drop,
    sweep: async () => {
      const pending = jsonOf(await send('GET', '/tx/list'))
      const names: readonly unknown[] = Array.isArray(pending) ? pending : []
      for (const name of names) if (typeof name === 'string' && OUR_NAME.test(name)) await drop(name)
    }
  }
}

/** Both spellings from the answer to GET /settings. Throws for anything but objects and texts. */
export function parseSetting(answer: unknown, sysctl: string): Setting {
  const all = below(below(answer, 'kernel'), 'sysctl')
  const found = spellings(sysctl).flatMap(name => {
    const value = below(all, name, 'string')
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(found)
}

function below(parent: unknown, name: string, kind: 'object' | 'string' = 'object'): unknown {
  if (parent === undefined) return undefined
  if (typeof parent === 'object' && parent !== null) {
    const value = Object.hasOwn(parent, name) ? (parent as Readonly<Record<string, unknown>>)[name] : undefined
    const found = typeof value
    if (value === undefined || (found === kind && value !== null)) return value
  }
  throw new BottlerocketError('passing', `the Bottlerocket API answered with settings that cannot be understood, at ${name}`)
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BottlerocketError('passing', 'the Bottlerocket API answered with text that is not JSON', { cause })
  }
}

const ours = (transaction: string): string => {
  if (!OUR_NAME.test(transaction)) throw new TypeError(`${JSON.stringify(transaction)} is not a transaction of ours`)
  return transaction
}

type Method = 'GET' | 'PATCH' | 'POST' | 'DELETE'

interface Answer {
  readonly status: number
  readonly text: string
}

/** A 404 with a text means that the data does not exist, as before the boot is finished; a 404 without text, that the call does not exist. */
function troubleOf({ status, text }: Answer): ApiTrouble | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status === 404) return text === '' ? 'refused' : 'passing'
  return [400, 401, 403, 405, 410, 413, 501].includes(status) ? 'refused' : 'passing'
}

const quoted = ({ status, text }: Answer): string => `${status} ${JSON.stringify(text.trim().slice(0, 200))}`
const withoutQuery = (path: string): string => path.replace(/\?.*/, '')

interface Exchange {
  readonly socket: string
  readonly method: Method
  readonly path: string
  readonly body: string
  readonly timeout: number
}

/** One request on a new connection: the server closes idle connections without notice. */
function exchange({ socket, method, path, body, timeout }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(unanswered(`${method} ${withoutQuery(path)}`, error))
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const signal = AbortSignal.timeout(timeout)
    const sent = request({ socketPath: socket, agent: false, method, path, signal, ...(method === 'GET' ? {} : { headers }) })
    sent.on('error', fail)
    sent.on('response', answer => {
      const status = answer.statusCode ?? 0
      const chunks: Buffer[] = []
      let size = 0
      answer.on('error', fail)
      // Bytes that follow a 204 do not belong to it.
      if (status === 204) resolve({ status, text: '' })
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MOST) answer.destroy(new Error(`more than ${MOST / 1024} KiB`))
        else chunks.push(chunk)
      })
      answer.on('end', () => resolve({ status, text: Buffer.concat(chunks).toString('utf8') }))
    })
    sent.end(body)
  })
}

function unanswered(call: string, cause: NodeJS.ErrnoException): BottlerocketError {
  const code = cause.code ?? ''
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new BottlerocketError('absent', 'the socket of the Bottlerocket API does not exist')
  if (code === 'EACCES' || code === 'EPERM') {
    return new BottlerocketError('refused', `the Bottlerocket API refuses the connection: ${code} by file mode or SELinux`, {
      cause
    })
  }
  const why = cause.name === 'AbortError' || cause.name === 'TimeoutError' ? 'no answer in time' : cause.code || cause.message
  return new BottlerocketError('passing', `the Bottlerocket API did not answer ${call}: ${why}`, { cause })
}
