import { request } from 'undici'

export interface AgentPage {
  readonly status: number
  readonly text: string
}

/** For the whole response, milliseconds. */
const TIMEOUT = 3_000
/** Characters. */
const LONGEST = 4 * 1024 * 1024

/** A page of the agent, such as `http://127.0.0.1:9642/metrics`. Throws `Error` with a few words for people. */
export async function readAgentPage(url: string): Promise<AgentPage> {
  try {
    const response = await request(url, { signal: AbortSignal.timeout(TIMEOUT), reset: true })
    let text = ''
    for await (const piece of response.body.setEncoding('utf8')) {
      text += piece
      if (text.length > LONGEST) throw new Error('the response is too large')
    }
    return { status: response.statusCode, text }
  } catch (error) {
    const { code = '', name, message } = error as NodeJS.ErrnoException
    throw new Error(REASONS[code] ?? REASONS[name] ?? message, { cause: error })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'there is no route to that address',
  ENETUNREACH: 'there is no route to that address',
  TimeoutError: `no response in ${TIMEOUT / 1000} s`
}
