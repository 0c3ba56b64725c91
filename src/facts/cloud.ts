import { type Detector, defineFact } from './define-fact.ts'
import { type Dmi, isAmazon, readDmi } from './dmi.ts'
import { Unsure } from './fact.ts'

export type Cloud = 'aws' | 'gcp' | 'azure' | 'oci' | 'alibaba' | 'openstack' | 'hetzner' | 'none'

/** Node.spec.providerID, or else what DMI says (cloud-init's tools/ds-identify). Metadata services are never asked. */
export const detectCloud: Detector<Cloud> = async ({ host, node }) => {
  const byId = cloudOfProvider(node?.providerId ?? '')
  if (byId !== undefined) return byId
  const dmi = await readDmi(host)
  if (dmi === undefined) throw new Unsure('neither a providerID nor DMI tells')
  return cloudOfDmi(dmi, (await host.read('/sys/class/dmi/id/chassis_asset_tag'))?.trim() ?? '')
}

const PROVIDERS: Readonly<Record<string, Cloud>> = {
  aws: 'aws',
  gce: 'gcp',
  azure: 'azure',
  oci: 'oci',
  openstack: 'openstack',
  hcloud: 'hetzner',
  alicloud: 'alibaba'
}

export function cloudOfProvider(providerId: string): Cloud | undefined {
  const [name = ''] = providerId.split(':')
  return Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined
}

export function cloudOfDmi(dmi: Dmi, assetTag: string): Cloud {
  if (isAmazon(dmi.sys_vendor) || isAmazon(dmi.bios_vendor)) return 'aws'
  if (dmi.product_name === 'Google Compute Engine') return 'gcp'
  // Azure's own asset tag: any other Hyper-V has another.
  if (assetTag === '7783-7084-3265-9085-8269-3286-77') return 'azure'
  if (assetTag === 'OracleCloud.com') return 'oci'
  if (dmi.product_name.startsWith('Alibaba Cloud ECS')) return 'alibaba'
  if (dmi.product_name.startsWith('OpenStack')) return 'openstack'
  return dmi.sys_vendor === 'Hetzner' ? 'hetzner' : 'none'
}

export const cloudFact = defineFact({
  name: 'cloud',
  describes: 'from the providerID, else from DMI; no metadata service is asked',
  detect: detectCloud,
  format: name => name
})
