import { type Detector, defineFact } from './define-fact.ts'
import { type Dmi, isAmazon, readDmi } from './dmi.ts'
import { Unsure } from './fact.ts'

export type Cloud = 'aws' | 'gcp' | 'azure' | 'oci' | 'alibaba' | 'openstack' | 'hetzner' | 'none'

/** From Node.spec.providerID, else from DMI (as in tools/ds-identify of cloud-init). Metadata services are never queried. */
export const detectCloud: Detector<Cloud> = async ({ host, node }) => {
  const byId = cloudOfProvider(node?.providerId ?? '')
  if (byId !== undefined) return byId
  const dmi = await readDmi(host)
  if (dmi === undefined) throw new Unsure('the Node has no providerID, and the machine has no DMI data')
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
  // The asset tag of Azure; other Hyper-V machines have another one.
  if (assetTag === '7783-7084-3265-9085-8269-3286-77') return 'azure'
  if (assetTag === 'OracleCloud.com') return 'oci'
  if (dmi.product_name.startsWith('Alibaba Cloud ECS')) return 'alibaba'
  if (dmi.product_name.startsWith('OpenStack')) return 'openstack'
  return dmi.sys_vendor === 'Hetzner' ? 'hetzner' : 'none'
}

export const cloudFact = defineFact({
  name: 'cloud',
  describes: 'cloud provider, from the providerID, else from DMI; metadata services are not queried',
  detect: detectCloud,
  format: name => name
})
