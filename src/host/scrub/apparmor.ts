/** Reduces an AppArmor profile of fusermount3 to its head, which states the mode, and its rules for Sysbox's mounts. Comments are removed. */
export function fusermountRulesOnly(text: string): string {
  const kept = text
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => /fusermount3\b|\/var\/lib\/sysboxfs\//.test(line))
  return `${kept.join('\n')}${text.endsWith('\n') ? '\n' : ''}`
}
