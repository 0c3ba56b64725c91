import { fusermountRulesOnly } from './scrub/apparmor.ts'
import { allowedDevicesOnly } from './scrub/crio.ts'
import { dockerRuntimesOnly } from './scrub/docker.ts'
import { directivesOnly } from './scrub/modprobe.ts'
import { mountsOnly } from './scrub/mountinfo.ts'
import type { Testimony } from './testimony.ts'

const SECRET = '(?=[\\w.-]*(?:token|password|passwd|secret|apikey|api_key|serial))([\\w.-]+)='

/** What is replaced in a recording, in this order. Each pattern takes time in proportion to the text. */
const RULES: readonly (readonly [RegExp, string])[] = [
  // JSON web tokens, bearer tokens, and values whose name says that they are secret, also in quotes as on the kernel's command line.
  [/ey[I-L][\w-]{1,1000}\.[\w-]+\.[\w-]+/g, 'TOKEN'],
  [/\b(bearer)\s+[^\s'"]+/gi, '$1 TOKEN'],
  [new RegExp(`(?<=")${SECRET}[^"\\n]+`, 'gi'), '$1=REDACTED'],
  [new RegExp(`(?<![\\w.-])${SECRET}(?:"[^"\\n]*"|'[^'\\n]*'|[^\\s,"]+)`, 'gi'), '$1=REDACTED'],
  // AWS ids of keys and principals; user names in options, URLs and directories.
  [/\b(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA|APKA|ASCA)[A-Z0-9]{16}\b/g, 'AWS-KEY-ID'],
  [/(?<![\w.-])(user|username|login|domain)=(?:"[^"\n]*"|'[^'\n]*'|[^\s,"]+)/gi, '$1=REDACTED'],
  [/(:\/\/)[^\s/@]{1,200}@/g, '$1user@'],
  [/(?<![\w.-])(\/(?:home|Users|run\/media|run\/user)\/)[^\s/:,"']+/g, '$1user'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '00000000-0000-4000-8000-000000000000'],
  // Short ids of FAT file systems and of partitions in an MBR.
  [/(?<=UUID=)[0-9a-f]{4}(?:[0-9a-f]{4})?-[0-9a-f]{2,4}(?![\w-])/gi, '00000000-01'],
  // Container, image and snapshot ids, machine ids.
  [/\b[0-9a-f]{64}\b/gi, '0'.repeat(64)],
  [/\b[0-9a-f]{32}\b/gi, '0'.repeat(32)],
  // MAC addresses, with hyphens as PXE's BOOTIF= writes them.
  [/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi, '02:00:00:00:00:00'],
  [/\b(?:[0-9a-f]{2}-){5,6}[0-9a-f]{2}\b/gi, '02-00-00-00-00-00'],
  // IPv6: eight groups, or a double colon; times (18:23:48) and PCI addresses (0000:00:1e.0) have neither.
  [/(?<![\w:.])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:]|\.\w)/gi, '2001:db8::1'],
  [/(?<![\w:.])(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?(?![\w:])/gi, '2001:db8::1'],
  // IPv4, not as part of a longer version (94.02.75.00.01) or of a release (6.6.85.1-2.azl3).
  [/(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?[\w-])/g, '192.0.2.1'],
  [/\b(ip-)\d+-\d+-\d+-\d+\b/g, '$1192-0-2-1']
]

/** Files that hold versions which look like an address or an id, and nothing that identifies a machine. */
const PLAIN = /^\/(proc\/sys\/kernel\/osrelease|proc\/driver\/nvidia\/version|etc\/os-release|usr\/lib\/os-release)$/

/** The kernel parameters that a detector reads. The others can hold anything, including URLs and keys. */
const PARAMETER = /^(nomodule|module_blacklist=.*|module\.sig_enforce(=.*)?|lockdown=.*|user_namespace\.enable=.*)$/

const parametersOnly = (text: string): string =>
  `${text
    .trim()
    .split(/\s+/)
    .filter(word => PARAMETER.test(word))
    .join(' ')}\n`

/** Files that can hold anything: recordings and evidence show only the parts on which a fact rests. */
const DECIDING: readonly (readonly [path: RegExp, reduce: (text: string, asked: readonly string[]) => string])[] = [
  [/^\/proc\/cmdline$/, parametersOnly],
  [/^\/proc\/(\d+|self)\/mountinfo$/, mountsOnly],
  [/\/modprobe\.d\/[^/]+$/, directivesOnly],
  [/^\/etc\/apparmor\.d\/(local\/)?fusermount3$/, fusermountRulesOnly],
  [/^\/etc\/crio\//, allowedDevicesOnly],
  [/^\/etc\/docker\/daemon\.json$/, dockerRuntimesOnly]
]

/** The part of a text that may be shown. `asked`: the paths of the same observation. */
export const shown = (path: string, text: string, asked: readonly string[] = []): string =>
  DECIDING.find(([pattern]) => pattern.test(path))?.[1](text, asked) ?? text

/** The part of an answer that goes into a recording, before names and addresses are replaced. */
export function trim(path: string, answer: unknown, asked: readonly string[] = []): unknown {
  if (typeof answer !== 'string') return answer
  // The first processor is enough; the others are equal.
  return path === '/proc/cpuinfo' ? answer.replace(/\n\n[\s\S]*$/, '\n') : shown(path, answer, asked)
}

/**
 * Replaces serial numbers, host names, MAC and IP addresses, UUIDs and tokens in answers, in strings at any depth.
 * The kernel's release is kept everywhere, since it can look like an address.
 */
export function scrubber(testimony: readonly Testimony[], names: readonly string[]): (answer: unknown) => unknown {
  const release = releaseIn(testimony)
  const hosts = names
    .filter(name => name.length > 2)
    .map(name => new RegExp(`(?<![\\w.-])${RegExp.escape(name)}(?![\\w-])`, 'gi'))
  const plain = new Set(testimony.filter(({ subject }) => PLAIN.test(subject)).map(({ answer }) => answer))

  const scrubText = (text: string): string => {
    if (plain.has(text)) return text
    const pieces = release === '' ? [text] : text.split(release)
    return pieces.map(piece => scrubPiece(piece, hosts)).join(release)
  }
  const scrub = (value: unknown): unknown => {
    if (typeof value === 'string') return scrubText(value)
    if (Array.isArray(value)) return value.map(scrub)
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, scrub(inner)]))
    }
    return value
  }
  return scrub
}

const scrubPiece = (text: string, hosts: readonly RegExp[]): string => {
  const anonymous = hosts.reduce((left, host) => left.replace(host, 'node'), text)
  return RULES.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), anonymous)
}

const releaseIn = (testimony: readonly Testimony[]): string => {
  const asked = testimony.find(({ subject, verb }) => verb === 'read' && subject === '/proc/sys/kernel/osrelease')
  return typeof asked?.answer === 'string' ? asked.answer.trim() : ''
}
