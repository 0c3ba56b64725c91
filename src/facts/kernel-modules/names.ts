/**
 * The modules that a workspace can need, and how each is requested. `blacklist NAME` in modprobe.d blocks a module that is requested by an
 * alias, but not one that is requested by its name or loaded as a dependency.
 * Measured with kmod 30 and 34 and Docker 26 and 29 on Linux 6.1 and 6.12.
 */
export const MODULES = {
  bridge: 'alias',
  fuse: 'alias',
  ip_tables: 'name',
  iptable_filter: 'name',
  iptable_nat: 'name',
  iptable_raw: 'name',
  nf_conntrack: 'either',
  nf_tables: 'dependency',
  nft_chain_nat: 'alias',
  nft_compat: 'alias',
  overlay: 'alias',
  shiftfs: 'either',
  veth: 'alias',
  xt_MASQUERADE: 'alias',
  xt_addrtype: 'alias',
  xt_conntrack: 'alias',
  xt_nat: 'alias',
  xt_tcpudp: 'alias'
} as const satisfies Readonly<Record<string, 'alias' | 'name' | 'dependency' | 'either'>>

export type ModuleName = keyof typeof MODULES

export const MODULE_NAMES = Object.keys(MODULES) as readonly ModuleName[]

/** For the kernel and modprobe, - and _ in a module's name are the same. */
export const moduleName = (text: string): string => text.replaceAll('-', '_')
