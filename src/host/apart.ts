import { type ChildProcess, fork } from 'node:child_process'
import { isInMemory } from './calls.ts'
import { ERRNO_TEXTS, HostError, type HostReader } from './host.ts'
import { createHungMounts } from './hung-mounts.ts'
import { localHost } from './local.ts'
import { type Question, READER, type Reply, STARTED } from './reader-process.ts'

/** Milliseconds, waited for in slices: see local.ts. */
const PATIENCE = 5_000
const SLICES = 10
/** A process that starts may wait for a processor for so long. */
const START_PATIENCE = 30_000

export interface ApartHost extends HostReader {
  /** Ends the reader. */
  readonly close: () => void
}

export interface ApartOptions {
  /** What to start as a reader: this program itself. */
  readonly program: string
  readonly patience?: number
}

/**
 * The real node, mounted at `root`, where everything that a disk or a file server has to answer is asked by a process apart. A mount that
 * does not answer (a dead FUSE, a gone NFS server) stops that process and not this one: it is killed and replaced, the path is unknown
 * with that reason, and the mount is skipped until it answers. A thread would not do: nothing can end one that waits in the kernel.
 */
export function apartHost(root: string, options: ApartOptions): ApartHost {
  const here = localHost(root)
  const reader = createReader(root, options)
  const ask =
    <T>(verb: Exclude<Question['verb'], 'lines'>, near: (path: string) => Promise<T>) =>
    (path: string): Promise<T> =>
      isInMemory(path) ? near(path) : (reader.ask({ verb, path }) as Promise<T>)
  return {
    ...here,
    read: ask('read', here.read),
    list: ask('list', here.list),
    stat: ask('stat', here.stat),
    realpath: ask('realpath', here.realpath),
    statfs: ask('statfs', here.statfs),
    lines: (path, pattern) =>
      isInMemory(path)
        ? here.lines(path, pattern)
        : (reader.ask({ verb: 'lines', path, pattern: pattern.source }) as Promise<readonly string[] | undefined>),
    close: reader.close
  }
}

interface Waiting {
  readonly question: Question
  readonly resolve: (value: unknown) => void
  readonly reject: (error: HostError) => void
}

/** Answers come in the order of the questions, so the first that waits is the one that hangs. */
function createReader(root: string, { program, patience = PATIENCE }: ApartOptions) {
  const hungMounts = createHungMounts(root === '/' ? '' : root.replace(/\/+$/, ''))
  let waiting: Waiting[] = []
  let child: ChildProcess | undefined
  let isStarted = false
  let count = 0
  const deadline = createDeadline({ limit: () => (isStarted ? patience : START_PATIENCE), expired: () => late() })

  const start = (): ChildProcess => {
    isStarted = false
    return forkReader(program, root, {
      replied: reply => answered(reply),
      ended: (ended, why) => {
        if (child === ended) replace('EIO', `the process that reads it has ended (${why})`)
      }
    })
  }

  /** A process may end while nothing is asked, and not before there is an answer. */
  const settle = (): void => {
    deadline.clear()
    if (waiting.length === 0) child?.channel?.unref()
    else child?.channel?.ref()
    if (waiting.length > 0) deadline.begin()
  }

  const answered = ({ id, value, error }: Reply): void => {
    if (id === STARTED.id) {
      isStarted = true
      settle()
      return
    }
    const [first, ...others] = waiting
    if (first?.question.id !== id) return
    waiting = others
    const { path } = first.question
    hungMounts.answered(path)
    if (error === undefined) first.resolve(value)
    else first.reject(Object.assign(new HostError(path, error.code), { message: error.message }))
    settle()
  }

  const late = (): void => {
    const killed = child
    const path = waiting[0]?.question.path
    if (isStarted && path !== undefined) hungMounts.hung(path, () => killed?.exitCode === null && killed.signalCode === null)
    replace('ETIMEDOUT', ERRNO_TEXTS['ETIMEDOUT'] ?? 'ETIMEDOUT')
    killed?.kill('SIGKILL')
  }

  /** The first question has failed; the others go to the next process. */
  const replace = (code: string, says: string): void => {
    child = undefined
    const [first, ...others] = waiting
    waiting = []
    first?.reject(new HostError(first.question.path, code, { says }))
    for (const other of others) put(other)
    settle()
  }

  const put = (one: Waiting): void => {
    const { path } = one.question
    const says = hungMounts.whySkipped(path)
    if (says !== undefined) {
      one.reject(new HostError(path, 'ETIMEDOUT', { says }))
      return
    }
    child ??= start()
    waiting.push(one)
    child.send(one.question)
    if (waiting.length === 1) settle()
  }

  return {
    ask: (asked: Omit<Question, 'id'>): Promise<unknown> =>
      new Promise((resolve, reject) => {
        count += 1
        put({ question: { ...asked, id: count }, resolve, reject })
      }),
    close: () => {
      const last = child
      child = undefined
      last?.kill('SIGKILL')
    }
  }
}

interface Deadline {
  /** Milliseconds that the first question may wait. */
  readonly limit: () => number
  readonly expired: () => void
}

/** In slices: after a suspend, or on a busy machine, one long timer would expire although the answer had no time to come. */
function createDeadline({ limit, expired }: Deadline) {
  let timer: NodeJS.Timeout | undefined
  const watch = (slices: number): void => {
    timer = setTimeout(() => (slices > 1 ? watch(slices - 1) : expired()), limit() / SLICES)
  }
  return { begin: () => watch(SLICES), clear: () => clearTimeout(timer) }
}

interface ReaderListener {
  readonly replied: (reply: Reply) => void
  /** Names the process: an older one may end after its successor was started. */
  readonly ended: (child: ChildProcess, why: string) => void
}

function forkReader(program: string, root: string, { replied, ended }: ReaderListener): ChildProcess {
  const child = fork(program, [READER, root], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  child.on('message', (reply: Reply) => replied(reply))
  child.on('error', error => ended(child, error.message))
  child.on('exit', (code, signal) => ended(child, `${signal ?? code}`))
  child.unref()
  return child
}
