import { printable } from '../printable.ts'
import { type Evidence, HostError, type HostReader, patternSource } from './host.ts'
import { shown } from './scrub.ts'
import type { Testimony, Verb } from './testimony.ts'

export interface Witness {
  readonly host: HostReader
  /** All questions so far, each once, in the order in which they were asked. */
  testimony(): readonly Testimony[]
}

/**
 * Records the answers of a node for one observation. A question that is asked again gets the same answer, so that two detectors never see
 * two different nodes.
 */
export function witness(host: HostReader): Witness {
  const asked = new Map<string, Promise<unknown>>()
  // In the order of the questions: answers arrive in any order, and evidence should be the same each time.
  const records: { testimony: Testimony | undefined }[] = []

  const put = <T>(verb: Verb, subject: string, pattern: string, ask: () => Promise<T>): Promise<T> => {
    const key = `${verb}\0${subject}\0${pattern}`
    const before = asked.get(key)
    if (before !== undefined) return before as Promise<T>
    const place: { testimony: Testimony | undefined } = { testimony: undefined }
    records.push(place)
    const kept = ask().then(
      answer => {
        place.testimony = { verb, subject, pattern, answer, error: undefined }
        return answer
      },
      (error: unknown) => {
        if (error instanceof HostError) place.testimony = { verb, subject, pattern, answer: undefined, error }
        throw error
      }
    )
    asked.set(key, kept)
    return kept
  }

  return {
    testimony: () => records.map(({ testimony }) => testimony).filter(testimony => testimony !== undefined),
    host: {
      read: path => put('read', path, '', () => host.read(path)),
      lines: (path, pattern) => put('lines', path, patternSource(pattern), () => host.lines(path, pattern)),
      list: path => put('list', path, '', () => host.list(path)),
      stat: path => put('stat', path, '', () => host.stat(path)),
      realpath: path => put('realpath', path, '', () => host.realpath(path)),
      statfs: path => put('statfs', path, '', () => host.statfs(path)),
      run: argv => put('run', argv.join(' '), '', () => host.run(argv)),
      arch: () => put('arch', '', '', () => host.arch()),
      inventory: () => put('inventory', '', '', () => host.inventory())
    }
  }
}

/** An answer as evidence for people. */
export function evidenceOf(testimony: Testimony): Evidence {
  return { source: testimony.subject || SOURCES[testimony.verb] || testimony.verb, saw: saw(testimony) }
}

const SOURCES: Partial<Record<Verb, string>> = { arch: 'process architecture', inventory: 'systeminformation' }

function saw({ verb, subject, answer, error, pattern }: Testimony): string {
  if (error !== undefined) return error.message.slice(error.path.length + 1)
  if (answer === undefined) return verb === 'inventory' ? 'not read: the node is another machine' : 'not there'
  if (verb === 'read') return textSeen(answer as string, shown(subject, answer as string))
  if (verb === 'run' || verb === 'arch') return firstLine(answer as string)
  if (verb === 'lines') return someOf(answer as readonly string[], `no line matches ${pattern}`)
  if (verb === 'list') return someOf(answer as readonly string[], 'an empty directory')
  if (verb === 'realpath') return `leads to ${answer}`
  if (verb === 'stat') return describeStat(answer as Record<'kind' | 'device', string> & { mode: number })
  if (verb === 'statfs') return describeSpace(answer as { free: number; total: number })
  return 'asked'
}

/** A text of which no part may be shown is not reported as an empty file. */
const textSeen = (whole: string, scrubbed: string): string =>
  scrubbed.trim() === '' && whole.trim() !== '' ? 'nothing relevant in it' : firstLine(scrubbed)

const WIDTH = 100

const cut = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text)

function firstLine(text: string): string {
  const lines = text.replace(/\n$/, '').split('\n')
  const [first = ''] = lines
  if (text === '') return 'an empty file'
  return cut(printable(first.replaceAll('\t', ' '))) + (lines.length > 1 ? ` (+${lines.length - 1} lines)` : '')
}

const someOf = (items: readonly string[], none: string): string =>
  items.length === 0 ? none : cut(printable(items.map(item => item.replaceAll('\t', ' ').trim()).join(' · ')))

const describeStat = ({ kind, mode, device }: { kind: string; mode: number; device: string }): string =>
  `${device === '' ? kind : `${kind} device ${device}`}, mode ${mode.toString(8).padStart(4, '0')}`

const describeSpace = ({ free, total }: { free: number; total: number }): string =>
  `${gibibytes(free)} free of ${gibibytes(total)}`

/** Formats bytes, as in `12.3 GiB`. */
export const gibibytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`
