import { completeText, type HostReader } from '../host/host.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { DMI_FILES, type Dmi, isAmazon, readDmi } from './dmi.ts'
import { Unsure } from './fact.ts'

export interface Machine {
  readonly kind: 'bare-metal' | 'virtual'
  /** The evidence in a few words. */
  readonly sign: string
}

/**
 * DMI strings of virtual machines, by prefix, in systemd's order (src/basic/virt.c). EC2 is not listed: its bare metal has the same strings.
 * Bare metal of Oracle and Google also has the names of their virtual machines, so the processor flag decides there (x86).
 */
const VIRTUAL_PREFIXES = [
  'KVM',
  'OpenStack',
  'KubeVirt',
  'QEMU',
  'VMware',
  'VMW',
  'innotek GmbH',
  'VirtualBox',
  'Oracle Corporation',
  'Xen',
  'Bochs',
  'Parallels',
  'BHYVE',
  'Hyper-V',
  'Apple Virtualization',
  'Google Compute Engine',
  'Virtual Machine',
  'HVM domU',
  'Alibaba Cloud ECS'
] as const

const ALSO_METAL: readonly string[] = ['Oracle Corporation', 'Google Compute Engine']

export interface MachineSigns {
  /** Whether the processor has the flag `hypervisor`; `undefined` on processors without flags (arm64). */
  readonly hypervisorFlag: boolean | undefined
  readonly dmi: Dmi | undefined
  /** /sys/hypervisor/type and the device tree's hypervisor node, empty if there is none. */
  readonly hypervisor: string
}

/** Any sign of a virtual machine decides. Bare metal needs positive evidence; without any evidence the fact is unknown. */
export const detectMachine: Detector<Machine> = async ({ host }) => {
  const signs = await readSigns(host)
  const virtual = virtualSign(signs) || (await detectVirt(host))
  if (virtual !== '') return { kind: 'virtual', sign: virtual }
  return { kind: 'bare-metal', sign: metalSign(signs) }
}

async function readSigns(host: HostReader): Promise<MachineSigns> {
  const [flag, dmi, xen, tree] = await Promise.all([
    readHypervisorFlag(host),
    readDmi(host),
    host.read('/sys/hypervisor/type'),
    host.read('/proc/device-tree/hypervisor/compatible')
  ])
  return {
    hypervisorFlag: flag,
    dmi,
    hypervisor: (xen ?? tree ?? '').replaceAll('\0', ' ').trim()
  }
}

/** systemd-detect-virt queries the processor (CPUID), which no file shows. It starts a process, so it is the last resort. */
async function detectVirt(host: HostReader): Promise<string> {
  const found = ((await host.run(['/usr/bin/systemd-detect-virt', '--vm'])) ?? '').trim()
  return found === '' || found === 'none' ? '' : `systemd-detect-virt says ${found}`
}

async function readHypervisorFlag(host: HostReader): Promise<boolean | undefined> {
  const path = '/proc/cpuinfo'
  const text = await host.read(path)
  if (text === undefined) throw new Unsure(`${path} is missing`)
  if (!/^(processor|flags)\b/m.test(text)) throw new Unsure(`${path} lists no processor`)
  return parseHypervisorFlag(completeText(path, text))
}

/** CPUID.1:ECX[31] as /proc/cpuinfo shows it on x86; `undefined` without a line of flags. */
export function parseHypervisorFlag(text: string): boolean | undefined {
  const flags = [...text.matchAll(/^flags\s*:(.*)\n/gm)].map(([, line]) => line ?? '')
  return flags.length === 0 ? undefined : flags.some(line => /\shypervisor(\s|$)/.test(line))
}

/** The first sign of a virtual machine, or an empty text. */
export function virtualSign({ hypervisorFlag, dmi, hypervisor }: MachineSigns): string {
  if (hypervisorFlag) return 'the processor flag "hypervisor"'
  if (hypervisor !== '') return `the hypervisor ${hypervisor}`
  const prefixes = hypervisorFlag === false ? VIRTUAL_PREFIXES.filter(prefix => !ALSO_METAL.includes(prefix)) : VIRTUAL_PREFIXES
  for (const name of dmi ? DMI_FILES : []) {
    const value = dmi?.[name] ?? ''
    if (prefixes.some(prefix => value.startsWith(prefix))) return `DMI ${name} "${value}"`
  }
  const isEc2 = dmi !== undefined && [dmi.sys_vendor, dmi.board_vendor, dmi.bios_vendor].some(isAmazon)
  if (isEc2 && !/\.metal(-|$)/.test(dmi.product_name)) return `EC2 instance type "${dmi.product_name}", which is not metal`
  return ''
}

/** Vendors of arm64 servers and boards, by prefix; none of them uses that name for virtual machines. */
const METAL_VENDORS = [
  'ADLINK',
  'ASRockRack',
  'Ampere',
  'Apple Inc.',
  'Cavium',
  'Dell Inc.',
  'FOXCONN',
  'FUJITSU',
  'Foxconn',
  'GIGABYTE',
  'Giga Computing',
  'HPE',
  'HUAWEI',
  'Hewlett',
  'Huawei',
  'Inspur',
  'Lenovo',
  'Marvell',
  'NVIDIA',
  'Phytium',
  'Quanta',
  'SolidRun',
  'Super Micro',
  'Supermicro',
  'WIWYNN',
  'Wiwynn'
] as const

/** `metalSign` returns the evidence for bare metal. Throws `Unsure` without any. */
export function metalSign({ hypervisorFlag, dmi }: MachineSigns): string {
  if (dmi === undefined) throw new Unsure('without DMI data, bare metal and virtual machines look the same')
  // Vendor names have letters; a garbled value could hide the name of a virtual machine.
  for (const name of ['sys_vendor', 'product_name'] as const) {
    if (!/^[\x20-\x7e]*$/.test(dmi[name]) || !/[A-Za-z]/.test(dmi[name])) throw new Unsure(`DMI ${name} is not a readable name`)
  }
  const vendor = `${dmi.sys_vendor} ${dmi.product_name}`
  if (hypervisorFlag !== undefined) return `no processor flag "hypervisor", and ${vendor} in DMI`
  // arm64 has no such flag. `virtualSign` has excluded the virtual machines of EC2.
  if (isAmazon(dmi.sys_vendor)) return `EC2 instance type "${dmi.product_name}"`
  if (METAL_VENDORS.some(name => dmi.sys_vendor.startsWith(name))) return `${vendor} in DMI, a server vendor`
  throw new Unsure(`the processor has no flag for virtual machines, and ${vendor} may be a virtual machine`)
}

export const machineFact = defineFact({
  name: 'machine',
  describes: 'bare metal or virtual, and the evidence for it',
  detect: detectMachine,
  format: ({ kind, sign }) => `${kind}: ${sign}`,
  label: {
    name: 'machine',
    describes: 'whether the node is bare metal or a virtual machine',
    values: '`bare-metal` `virtual` `unknown`',
    of: ({ kind }) => kind,
    whenUnknown: 'unknown'
  }
})
