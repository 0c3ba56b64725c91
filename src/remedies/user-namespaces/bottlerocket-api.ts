import { randomBytes } from 'node:crypto'
import { request } from 'node:http'

/**
 * Two names of one kernel value, `user.max_user_namespaces` and `user/max_user_namespaces`. The API keeps them apart, and applies both in
 * an order of its own (a coin toss each time).
 */
export const spellings = (sysctl: string): readonly [dots: string, slashes: string] => [sysctl, sysctl.replaceAll('.', '/')]
/** The texts by their spelling, as they are kept; what is not set is left out. */
export type Setting = Readonly<Record<string, string>>

/** `absent`: no socket; `refused`: this node will never take it; `passing`: it may go better the next time. */
export type ApiTrouble = 'absent' | 'refused' | 'passing'

export class BottlerocketError extends Error {
  readonly trouble: ApiTrouble
  constructor(trouble: ApiTrouble, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BottlerocketError'
    this.trouble = trouble
  }
}

/** The few calls that we make. All throw `BottlerocketError`. */
export interface BottlerocketApi {
  /** What is committed; that says nothing about the kernel. */
  readonly read: () => Promise<Setting>
  /** Stages it into a new transaction of our own, whose name is given back. A refused one is dropped again. */
  readonly stage: (setting: Setting) => Promise<string>
  /** A failure does not mean that nothing was committed: a 500 comes after the commit. */
  readonly commit: (transaction: string) => Promise<void>
  /** Drops what we staged ourselves. */
  readonly drop: (transaction: string) => Promise<void>
  /** Drops what a run of ours left that was killed between staging and commit. */
  readonly sweep: () => Promise<void>
}

/** Milliseconds for a whole exchange; the real server answers within 25. */
const PATIENCE = 5_000
/** Bytes. */
const MOST = 64 * 1024
/** An empty name would hit the transactions of everybody, and a known one those of somebody else. */
const OUR_NAME = /^berth-[0-9a-f]{16}$/

/**
 * One sysctl in the API server of Bottlerocket, behind its Unix socket. A 204 of `/tx/apply` is followed by bytes that break the framing, so it is
 * never called: to stage the same value again applies it as well.
 */
export function bottlerocketApi(socket: string, sysctl: string, patience = PATIENCE): BottlerocketApi {
  const [dots, slashes] = spellings(sysctl)
  const keys = `settings.kernel.sysctl."${dots}",settings.kernel.sysctl.${slashes}`
  const send = async (method: Method, path: string, body = '') => {
    const answer = await exchange({ socket, method, path, body, patience })
    const trouble = troubleOf(answer)
    if (trouble === undefined) return answer.text
    throw new BottlerocketError(trouble, `the Bottlerocket API answered ${method} ${bare(path)} with ${said(answer)}`)
  }
  const drop = async (transaction: string) => {
    await send('DELETE', `/tx?tx=${ours(transaction)}`)
  }
  return {
    read: async () => {
      // A filtered look answers `{}` with 200 before the settings are there, so it is asked for what shows the boot.
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

/** Both spellings out of the answer to a look at the settings; anything but objects and texts throws. */
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
  if (!OUR_NAME.test(transaction)) throw new TypeError(`${JSON.stringify(transaction)} is no transaction of ours`)
  return transaction
}

type Method = 'GET' | 'PATCH' | 'POST' | 'DELETE'

interface Answer {
  readonly status: number
  readonly text: string
}

/** A 404 with a text means that there is no such data, as before the boot is finished; without one, that there is no such call. */
function troubleOf({ status, text }: Answer): ApiTrouble | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status === 404) return text === '' ? 'refused' : 'passing'
  return [400, 401, 403, 405, 410, 413, 501].includes(status) ? 'refused' : 'passing'
}

const said = ({ status, text }: Answer): string => `${status} ${JSON.stringify(text.trim().slice(0, 200))}`
const bare = (path: string): string => path.replace(/\?.*/, '')

interface Exchange {
  readonly socket: string
  readonly method: Method
  readonly path: string
  readonly body: string
  readonly patience: number
}

/** One request on a connection of its own: the server closes idle ones without a word. */
function exchange({ socket, method, path, body, patience }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(unanswered(`${method} ${bare(path)}`, error))
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const signal = AbortSignal.timeout(patience)
    const sent = request({ socketPath: socket, agent: false, method, path, signal, ...(method === 'GET' ? {} : { headers }) })
    sent.on('error', fail)
    sent.on('response', answer => {
      const status = answer.statusCode ?? 0
      const chunks: Buffer[] = []
      let size = 0
      answer.on('error', fail)
      // What follows a 204 is no part of it.
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
