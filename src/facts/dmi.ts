import { completeText, type HostReader } from '../host/host.ts'

export const DMI_FILES = ['product_name', 'sys_vendor', 'board_vendor', 'bios_vendor', 'product_version'] as const

type DmiFile = (typeof DMI_FILES)[number]

export type Dmi = Readonly<Record<DmiFile, string>>

export async function readDmi(host: HostReader): Promise<Dmi | undefined> {
  const directory = '/sys/class/dmi/id'
  if ((await host.stat(directory)) === undefined) return undefined
  const values = await Promise.all(
    DMI_FILES.map(async name => completeText(`${directory}/${name}`, (await host.read(`${directory}/${name}`)) ?? '').trim())
  )
  return Object.fromEntries(DMI_FILES.map((name, index) => [name, values[index]])) as unknown as Dmi
}

export const isAmazon = (vendor: string): boolean => vendor.startsWith('Amazon EC2')
