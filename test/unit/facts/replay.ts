import type { Detector, Sources } from '../../../src/facts/define-fact.ts'
import { Unsure } from '../../../src/facts/fact.ts'
import { type FileStat, HostError, type HostReader, matchingLines } from '../../../src/host/host.ts'
import { pretendHost } from '../host/pretend.ts'

/** What lies at a path: a text, a directory's names, a device or socket, a link, a failure; `undefined` for nothing. */
export type Answer =
  | string
  | readonly string[]
  | { readonly stat: FileStat }
  | { readonly link: string }
  | { readonly error: string }
  | { readonly space: { readonly free: number; readonly total: number } }
  | undefined
export type Answers = Readonly<Record<string, Answer>>

/** What a detector finds in these answers; one question more than them fails the test. */
export async function detect<T>(
  detector: Detector<T>,
  answers: Answers,
  sources: Partial<Sources> = {}
): Promise<{ readonly value: T } | { readonly unsure: string }> {
  try {
    return { value: await detector({ node: undefined, podSecurity: undefined, host: hostWith(answers), ...sources }) }
  } catch (error) {
    if (error instanceof Unsure || error instanceof HostError) return { unsure: error.message }
    throw error
  }
}

/** /proc and /sys are those of a node, unless a test says otherwise. */
const MOUNTED: Answers = { '/proc/sys/kernel': ['osrelease'], '/sys/kernel': ['security'] }

export function hostWith(given: Answers): HostReader {
  const answers = { ...MOUNTED, ...given }
  const at = (verb: string, path: string): Answer => {
    if (!Object.hasOwn(answers, path)) throw new Error(`this test has no answer to: ${verb} ${path}`)
    const answer = answers[path]
    if (typeof answer === 'object' && 'error' in answer) throw new HostError(path, answer.error)
    return answer
  }
  const text = (verb: string, path: string): string | undefined => {
    const answer = at(verb, path)
    if (answer === undefined || typeof answer === 'string') return answer
    throw new HostError(path, 'EISDIR')
  }
  return pretendHost({
    read: async path => text('read', path),
    lines: async (path, pattern) => {
      const whole = text('lines', path)
      return whole === undefined ? undefined : matchingLines(path, whole, pattern)
    },
    list: async path => {
      const answer = at('list', path)
      return Array.isArray(answer) ? (answer as readonly string[]) : undefined
    },
    stat: async path => statOf(at('stat', path)),
    realpath: async path => {
      const answer = at('realpath', path)
      if (answer === undefined) return undefined
      return typeof answer === 'object' && 'link' in answer ? answer.link : path
    },
    statfs: async path => {
      const answer = at('statfs', path)
      return typeof answer === 'object' && 'space' in answer ? answer.space : { free: 100e9, total: 200e9 }
    },
    run: async argv => text('run', argv.join(' '))
  })
}

function statOf(answer: Answer): FileStat | undefined {
  if (answer === undefined) return undefined
  if (typeof answer === 'object' && 'stat' in answer) return answer.stat
  return { kind: typeof answer === 'string' ? 'file' : 'directory', mode: 0o755, device: '' }
}
