import { ANSWER_TIMEOUT, createDeadline } from './deadline.ts'
import { ERRNO_TEXTS, HostError } from './host.ts'
import { createHungMounts } from './hung-mounts.ts'
import { createReaderChild } from './reader-child.ts'
import type { Question, Reply } from './reader-process.ts'

/** A process that starts may wait this long for a processor (milliseconds). */
const START_TIMEOUT = 30_000

export interface ReaderOptions {
  /** The file to start as a reader process: this program itself. */
  readonly program: string
  /** Milliseconds. */
  readonly timeout?: number
}

export interface Reader {
  readonly ask: (question: Omit<Question, 'id'>) => Promise<unknown>
  readonly close: () => void
}

interface Waiting {
  readonly question: Question
  readonly resolve: (value: unknown) => void
  readonly reject: (error: HostError) => void
}

/** Asks a reader process. It answers in the order of the questions, so if it hangs, it hangs at the first question that waits. */
export function createReader(root: string, { program, timeout = ANSWER_TIMEOUT }: ReaderOptions): Reader {
  const hungMounts = createHungMounts(root === '/' ? '' : root.replace(/\/+$/, ''))
  const waiting: Waiting[] = []
  let count = 0
  const child = createReaderChild(program, root, {
    started: () => settle(),
    replied: reply => answered(reply),
    ended: why => failFirst('EIO', `the process that reads it has ended (${why})`)
  })
  const deadline = createDeadline({ limit: () => (child.isStarted() ? timeout : START_TIMEOUT), expired: () => expired() })

  const settle = (): void => {
    deadline.clear()
    child.keepAlive(waiting.length > 0)
    if (waiting.length > 0) deadline.start()
  }

  const answered = (reply: Reply): void => {
    const [first] = waiting
    if (first?.question.id !== reply.id) return
    waiting.shift()
    hungMounts.answered(first.question.path)
    deliver(first, reply)
    settle()
  }

  const expired = (): void => {
    const path = waiting[0]?.question.path
    const wasStarted = child.isStarted()
    const isStuck = child.kill()
    if (wasStarted && path !== undefined) hungMounts.hung(path, isStuck)
    failFirst('ETIMEDOUT', ERRNO_TEXTS['ETIMEDOUT'] ?? 'ETIMEDOUT')
  }

  /** The first question fails; the next process gets the others. */
  const failFirst = (code: string, says: string): void => {
    const [first, ...others] = waiting.splice(0)
    first?.reject(new HostError(first.question.path, code, { says }))
    for (const other of others) send(other)
    settle()
  }

  const send = (one: Waiting): void => {
    const { path } = one.question
    const says = hungMounts.whySkipped(path)
    if (says !== undefined) one.reject(new HostError(path, 'ETIMEDOUT', { says }))
    else {
      waiting.push(one)
      child.send(one.question)
      if (waiting.length === 1) settle()
    }
  }

  return {
    ask: asked => new Promise((resolve, reject) => send({ question: { ...asked, id: ++count }, resolve, reject })),
    close: () => void child.kill()
  }
}

function deliver({ question, resolve, reject }: Waiting, { value, error }: Reply): void {
  if (error === undefined) resolve(value)
  else reject(Object.assign(new HostError(question.path, error.code), { message: error.message }))
}
