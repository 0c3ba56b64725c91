import { type ChildProcess, fork } from 'node:child_process'
import { type Question, READER, type Reply, STARTED } from './reader-process.ts'

export interface ReaderChildListener {
  readonly started: () => void
  readonly replied: (reply: Reply) => void
  /** The process ended by itself. */
  readonly ended: (why: string) => void
}

/** The reader process as its parent sees it. There is one at a time. */
export interface ReaderChild {
  readonly isStarted: () => boolean
  /** Starts a process first if there is none. */
  readonly send: (question: Question) => void
  /** Whether an open question keeps this program from ending. */
  readonly keepAlive: (isNeeded: boolean) => void
  /**
   * Kills the process; the next `send` starts another one. Returns whether the killed process still exists: SIGKILL takes effect only
   * when the mount at which the process waits answers.
   */
  readonly kill: () => () => boolean
}

/** `program` is the file to start. Events of a process that has been replaced are ignored. */
export function createReaderChild(program: string, root: string, listener: ReaderChildListener): ReaderChild {
  let child: ChildProcess | undefined
  let isStarted = false

  const start = (): ChildProcess => {
    isStarted = false
    const process = fork(program, [READER, root], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const ended = (why: string): void => {
      if (child !== process) return
      child = undefined
      listener.ended(why)
    }
    process.on('message', (reply: Reply) => {
      if (child !== process) return
      if (reply.id !== STARTED.id) return listener.replied(reply)
      isStarted = true
      listener.started()
    })
    process.on('error', error => ended(error.message))
    process.on('exit', (code, signal) => ended(`${signal ?? code}`))
    process.unref()
    return process
  }

  return {
    isStarted: () => isStarted,
    send: question => {
      child ??= start()
      child.send(question)
    },
    keepAlive: isNeeded => (isNeeded ? child?.channel?.ref() : child?.channel?.unref()),
    kill: () => {
      const killed = child
      child = undefined
      killed?.kill('SIGKILL')
      return () => killed?.exitCode === null && killed.signalCode === null
    }
  }
}
