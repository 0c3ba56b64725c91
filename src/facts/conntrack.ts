import { type Detector, defineFact } from './define-fact.ts'
import { requireMounted } from './numbers.ts'

/** Sysbox binds this directory into every container. It exists only while nf_conntrack is loaded. */
export const detectConntrack: Detector<boolean> = async ({ host }) => {
  await requireMounted(host, 'sys')
  return (await host.stat('/sys/module/nf_conntrack/parameters')) !== undefined
}

export const conntrackFact = defineFact({
  name: 'conntrack',
  describes: 'whether nf_conntrack is loaded (`/sys/module/nf_conntrack/parameters`)',
  detect: detectConntrack,
  format: there => (there ? 'loaded' : 'not loaded')
})
