/** Directives that can keep a module from being loaded. */
const DECIDING = /^\s*(install|blacklist|alias)\s/
/** Those that cannot. */
const OTHER = /^\s*(#|$|(config|include|options|remove|softdep|weakdep)\s)/

/**
 * Of a file of modprobe's configuration the lines that decide whether a module can be loaded. Comments and options are left out, since
 * anything may stand in them. A line that is no directive stays one.
 */
export function directivesOnly(text: string): string {
  if (text.trim() === '') return text
  const lines = text.replace(/\n$/, '').replaceAll('\\\n', ' ').split('\n')
  const kept = lines.filter(line => !OTHER.test(line)).map(line => (DECIDING.test(line) ? uncommented(line) : '?'))
  return `${kept.length === 0 ? '# nothing here decides' : kept.join('\n')}${text.endsWith('\n') ? '\n' : ''}`
}

const uncommented = (line: string): string => line.replace(/\s#.*$/, '')
