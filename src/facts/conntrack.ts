import { type Detector, defineFact } from './define-fact.ts'
import { requireMounted } from './numbers.ts'

/** Sysbox binds this directory into every container that it starts; it is there only while the module is loaded. */
export const detectConntrack: Detector<boolean> = async ({ host }) => {
  await requireMounted(host, 'sys')
  return (await host.stat('/sys/module/nf_conntrack/parameters')) !== undefined
}

export const conntrackFact = defineFact({
  name: 'conntrack',
  describes: '`/sys/module/nf_conntrack/parameters`',
  detect: detectConntrack,
  format: there => (there ? 'loaded' : 'not loaded')
})
