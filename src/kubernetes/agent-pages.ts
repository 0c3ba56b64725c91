import { request } from 'undici'

export interface AgentPage {
  readonly status: number
  readonly text: string
}

const PATIENCE = 3_000 // milliseconds, for the whole answer
const LONGEST = 4 * 1024 * 1024

/** A page of the agent, such as `http://127.0.0.1:9642/metrics`. Throws `Error` with a few words for people. */
export async function readAgentPage(url: string): Promise<AgentPage> {
  try {
    const answer = await request(url, { signal: AbortSignal.timeout(PATIENCE), reset: true })
    let text = ''
    for await (const piece of answer.body.setEncoding('utf8')) {
      text += piece
      if (text.length > LONGEST) throw new Error('the answer does not end')
    }
    return { status: answer.statusCode, text }
  } catch (error) {
    const { code = '', name, message } = error as NodeJS.ErrnoException
    throw new Error(REASONS[code] ?? REASONS[name] ?? message, { cause: error })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'that host name is not known',
  EAI_AGAIN: 'that host name could not be looked up',
  EHOSTUNREACH: 'there is no way to that address from here',
  ENETUNREACH: 'there is no way to that address from here',
  TimeoutError: `no answer in ${PATIENCE / 1000} s`
}
