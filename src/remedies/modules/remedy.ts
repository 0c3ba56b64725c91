import { defineRemedy } from '../define-remedy.ts'
import { planModules } from './plan.ts'

export const modulesRemedy = defineRemedy({
  name: 'modules',
  permits: { modules: 'loads the modules `fuse` and `nf_conntrack` where the node has them and nothing has loaded them' },
  plan: planModules,
  load: async () => (await import('./apply.ts')).modules
})
