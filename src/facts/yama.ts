import { type Detector, defineFact } from './define-fact.ts'
import { readCount, requireMounted } from './numbers.ts'

/** kernel.yama.ptrace_scope; `absent` without Yama. A value of 3 cannot be changed until the next boot. */
export const detectYama: Detector<number | 'absent'> = async ({ host }) => {
  await requireMounted(host, 'proc')
  return (await readCount(host, '/proc/sys/kernel/yama/ptrace_scope')) ?? 'absent'
}

export const yamaFact = defineFact({
  name: 'yama',
  describes: '`kernel.yama.ptrace_scope`',
  detect: detectYama,
  format: scope => (scope === 'absent' ? 'absent' : `ptrace_scope ${scope}`)
})
