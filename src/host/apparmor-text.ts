/** Of an AppArmor profile of fusermount3 its head, which has its mode, and what it says of the mounts of Sysbox. Comments go. */
export function fusermountRulesOnly(text: string): string {
  const kept = text
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => /fusermount3\b|\/var\/lib\/sysboxfs\//.test(line))
  return `${kept.join('\n')}${text.endsWith('\n') ? '\n' : ''}`
}
