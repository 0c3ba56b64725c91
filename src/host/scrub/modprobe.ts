/** Directives that can prevent a module from being loaded. */
const DECIDING = /^\s*(install|blacklist|alias)\s/
/** Directives that cannot, comments and empty lines. */
const OTHER = /^\s*(#|$|(config|include|options|remove|softdep|weakdep)\s)/

/**
 * Reduces a modprobe configuration file to the lines that decide whether a module can be loaded. Comments and options are removed, since
 * they may contain anything. A line that is not a directive becomes `?`, which is not a directive either.
 */
export function directivesOnly(text: string): string {
  if (text.trim() === '') return text
  const lines = text.replace(/\n$/, '').replaceAll('\\\n', ' ').split('\n')
  const kept = lines.filter(line => !OTHER.test(line)).map(line => (DECIDING.test(line) ? uncommented(line) : '?'))
  return `${kept.length === 0 ? '# nothing here decides' : kept.join('\n')}${text.endsWith('\n') ? '\n' : ''}`
}

const uncommented = (line: string): string => line.replace(/\s#.*$/, '')
