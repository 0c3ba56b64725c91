import { type Detector, defineFact } from '../define-fact.ts'
import { requireMounted } from '../numbers.ts'

/** A GPU is split into instances (MIG) if the driver lists instances, or if the Node offers them. */
export const detectMig: Detector<boolean> = async ({ host, node }) => {
  if (Object.keys(node?.allocatable ?? {}).some(name => name.startsWith('nvidia.com/mig-'))) return true
  await requireMounted(host, 'proc')
  const directory = '/proc/driver/nvidia/capabilities'
  const names = (await host.list(directory)) ?? []
  const split = await Promise.all(
    names
      .filter(name => /^gpu\d+$/.test(name))
      .map(async name => ((await host.list(`${directory}/${name}/mig`)) ?? []).some(entry => /^gi\d+$/.test(entry)))
  )
  return split.includes(true)
}

export const migFact = defineFact({
  name: 'mig',
  describes: 'whether a GPU is split into instances (MIG)',
  detect: detectMig,
  format: split => (split ? 'on' : 'off')
})
