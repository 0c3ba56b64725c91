import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { DRA_DRIVER, type ResourceSlices } from './resource-slices.ts'

export const detectResourceSlices: Detector<ResourceSlices> = async ({ resourceSlices }) => {
  if (resourceSlices === undefined) return { asked: false }
  if (!resourceSlices.ok) throw new Unsure(resourceSlices.why)
  return { asked: true, ...resourceSlices.value }
}

export const resourceSlicesFact = defineFact({
  name: 'resource-slices',
  describes: "devices that NVIDIA's DRA driver publishes for this node; read only if the Node offers no GPU in another way",
  detect: detectResourceSlices,
  format: found =>
    found.asked ? `${found.devices} devices${found.tainted > 0 ? `, ${found.tainted} of them tainted` : ''}` : 'not read',
  furtherEvidence: (_, value) =>
    value.asked ? [{ source: `ResourceSlices of ${DRA_DRIVER}`, saw: `${value.devices} devices` }] : []
})
