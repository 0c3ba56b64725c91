/**
 * The modules that a workspace can need, each with how it is asked for, which decides what `blacklist NAME` of modprobe.d does to it:
 * a module that arrives by an alias only is stopped, one that is asked for by its name or comes as a dependency is not.
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

/** The kernel and modprobe take - and _ in a module's name for the same. */
export const moduleName = (text: string): string => text.replaceAll('-', '_')
