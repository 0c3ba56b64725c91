import { writeSync } from 'node:fs'
import { pino } from 'pino'
import type { LogLevel } from './log-level.ts'
import { printable } from './printable.ts'
import { plain, redact } from './redact.ts'

/** Every event that is logged, with its level. The codes are for programs and do not change; messages are for people. */
export const EVENTS = {
  'agent-started': 'info',
  'agent-stopping': 'info',
  'agent-stopped': 'info',
  'agent-failed': 'fatal',
  'identity-proved': 'info',
  'identity-wrong': 'error',
  'host-missing': 'error',
  'guard-proved': 'info',
  'guard-missing': 'warn',
  'node-looked-at': 'debug',
  'fact-lost': 'warn',
  'fact-found': 'info',
  'boot-changed': 'info',
  'capability-changed': 'info',
  'labels-written': 'info',
  'report-written': 'info',
  'condition-written': 'debug',
  'taint-removed': 'info',
  'event-written': 'debug',
  'write-refused': 'warn',
  'write-failed': 'warn',
  'drift-repaired': 'warn',
  'drift-contested': 'warn',
  'helper-doubted': 'warn',
  'helper-waits': 'warn',
  'remedy-applied': 'info',
  'remedy-failed': 'error',
  'api-lost': 'warn',
  'node-missing': 'warn',
  'api-back': 'info',
  'watch-restarted': 'debug',
  'watch-refused': 'warn',
  'device-offered': 'info',
  'device-lost': 'warn',
  'device-found': 'info',
  'devices-waits': 'warn',
  'kubelet-lost': 'warn',
  'kubelet-restarted': 'info',
  'registration-failed': 'error',
  'registration-refused': 'error',
  'http-listening': 'info',
  'http-failed': 'error',
  'log-level-changed': 'info',
  'log-lost': 'warn'
} as const satisfies Readonly<Record<string, LogLevel | 'fatal'>>

export type EventCode = keyof typeof EVENTS

/** Further values. Of an `error` only message, code and status are written. `key` tells events with the same code apart. */
export type Fields = Readonly<Record<string, unknown>>

export interface Log {
  /** Writes one line. The same warning or error (same code, and same `key` or message) is written once a minute and counted in between. */
  readonly event: (code: EventCode, message: string, fields?: Fields) => void
  readonly setLevel: (level: LogLevel) => void
}

export interface LogOptions {
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  /** Writes one line with its newline. If it throws, only the line is lost: a full disk must never end the agent. */
  readonly write: (line: string) => void
  readonly now: () => Date
}

export function createLog({ level, format, write, now }: LogOptions): Log {
  let lost = 0
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: label => ({ level: label }) }
    },
    {
      write: line => {
        try {
          write(format === 'json' ? line : pretty(JSON.parse(line)))
        } catch {
          lost += 1
        }
      }
    }
  )
  const limit = limiter(now)
  return {
    event: (code, message, fields = {}) => {
      const severity = EVENTS[code]
      if (!logger.isLevelEnabled(severity)) return
      const suppressed = severity === 'warn' || severity === 'error' ? limit(`${code} ${fields['key'] ?? message}`) : 0
      if (suppressed === undefined) return
      const line = { event: code, ...named(fields), ...(suppressed > 0 ? { suppressed } : {}) }
      const before = lost
      logger[severity](line, redact(message))
      if (before === 0 || lost > before) return
      lost = 0
      logger.warn({ event: 'log-lost', lost: before }, `${before} lines could not be written before this one`)
    },
    setLevel: wanted => {
      logger.level = wanted
    }
  }
}

/** How long a repeated warning or error is suppressed (milliseconds), and how many different ones are remembered. */
const PAUSE = 60_000
const REMEMBERED = 1_000

/** Returns how many lines with this key were suppressed since the last written one; `undefined` to suppress this one too. */
function limiter(now: () => Date): (key: string) => number | undefined {
  const seen = new Map<string, { readonly at: number; suppressed: number }>()
  return key => {
    const at = now().getTime()
    const before = seen.get(key)
    const age = before === undefined ? PAUSE : at - before.at
    // After the clock was set back, nothing must be suppressed for hours.
    if (before !== undefined && age >= 0 && age < PAUSE) {
      before.suppressed += 1
      return undefined
    }
    seen.delete(key)
    seen.set(key, { at, suppressed: 0 })
    // Forgets the oldest: a Map keeps the order of insertion.
    if (seen.size > REMEMBERED) seen.delete(seen.keys().next().value as string)
    return before?.suppressed ?? 0
  }
}

/** Names that every line has already: a second field of the same name would be ambiguous. */
const RESERVED = ['level', 'time', 'msg', 'event', 'suppressed']

const named = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(plain(fields) as Fields).map(([name, value]) => [RESERVED.includes(name) ? `${name}_` : name, value])
  )

/** `10:00:05.123 WARN  api-lost  the API does not answer  server="https://…"`. Safe to print on a terminal. */
function pretty({ level, time, event, msg, ...fields }: Readonly<Record<string, unknown>>): string {
  const rest = Object.entries(fields).map(([name, value]) => `  ${name}=${JSON.stringify(value)}`)
  const text = `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${event}  ${msg}${rest.join('')}`
  return `${printable(text)}\n`
}

/** How often a write to a full pipe is retried, one millisecond apart, before the line is lost. */
const TRIES = 20

/** Writes lines synchronously, so that the last ones before an exit are not lost. Throws the system's errors. */
export function lineWriter(descriptor: number, put: typeof writeSync = writeSync): (line: string) => void {
  let isBroken = false
  const pause = new Int32Array(new SharedArrayBuffer(4))
  return line => {
    // After an incomplete line, the next one starts on a new line.
    const bytes = Buffer.from(isBroken ? `\n${line}` : line)
    for (let done = 0, tries = 0; done < bytes.length; ) {
      try {
        done += put(descriptor, bytes, done)
        isBroken = done < bytes.length
      } catch (error) {
        tries += 1
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries > TRIES) throw error
        Atomics.wait(pause, 0, 0, 1)
      }
    }
  }
}
