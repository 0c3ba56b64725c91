import { defineRemedy } from '../define-remedy.ts'
import { planShiftfs } from './plan.ts'

export const shiftfsRemedy = defineRemedy({
  name: 'shiftfs',
  permits: { shiftfs: 'loads the module shiftfs, or builds it first, and tests that it works' },
  plan: planShiftfs,
  load: async () => (await import('./apply.ts')).shiftfs
})
