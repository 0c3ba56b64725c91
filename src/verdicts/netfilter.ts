import type { ModuleName } from '../facts/kernel-modules/names.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { judgeModuleNow, judgeModulePart, moduleWayOut } from './modules.ts'
import { allOf, anyOf, type Verdict } from './verdict.ts'

/** Matches and targets in Docker's rules, with iptables-nft and iptables-legacy. */
const MATCHES = ['xt_addrtype', 'xt_conntrack', 'xt_MASQUERADE'] as const satisfies readonly ModuleName[]
/** Without these modules dockerd starts, but a container that publishes a port does not. */
const PORTS = ['xt_nat', 'xt_tcpudp'] as const satisfies readonly ModuleName[]

/** The modules that iptables-nft needs, which Docker in Envbox uses. dockerd does not start if one is missing (Docker 26 and 29). */
export const judgeNftables = (facts: NodeFacts): Verdict =>
  withPorts(
    facts,
    judgeAll(facts, 'netfilter (iptables-nft)', partsOf(facts, ['nf_tables', 'nft_compat', 'nft_chain_nat', ...MATCHES]))
  )

/**
 * The image of the workspace chooses its iptables, so either set of modules is enough. iptables-legacy loads ip_tables by running
 * modprobe, which fails in a user namespace; the kernel loads all other modules on demand.
 */
export const judgeAnyNetfilter = (facts: NodeFacts): Verdict => {
  const legacy = judgeAll(facts, 'netfilter (iptables-legacy)', {
    ip_tables: judgeModuleNow(facts, 'ip_tables'),
    ...partsOf(facts, ['iptable_nat', 'iptable_filter', 'iptable_raw', ...MATCHES])
  })
  return anyOf('netfilter', [judgeNftables(facts), withPorts(facts, legacy)])
}

/** `judgeAll` gives one way out for all missing modules. */
function judgeAll(facts: NodeFacts, name: string, parts: Readonly<Partial<Record<ModuleName, Verdict>>>): Verdict {
  const set = allOf(name, Object.values(parts))
  const missing = Object.entries(parts).flatMap(([module, { answer }]) => (answer === 'no' ? [module] : []))
  if (missing.length < 2) return set
  const wayOut = `Install the kernel package that contains ${missing.join(', ')} (EL 10: kernel-modules-extra), and remove settings that block them.`
  return { ...set, wayOut: [moduleWayOut(facts, wayOut)] }
}

const partsOf = (facts: NodeFacts, names: readonly ModuleName[]): Readonly<Partial<Record<ModuleName, Verdict>>> =>
  Object.fromEntries(names.map(name => [name, judgeModulePart(facts, name)]))

function withPorts(facts: NodeFacts, set: Verdict): Verdict {
  const missing = PORTS.map(name => judgeModulePart(facts, name)).filter(({ answer }) => answer !== 'yes')
  if (set.answer !== 'yes' || missing.length === 0) return set
  const because = missing.map(part => part.because).join('; ')
  return { ...set, cautions: [...set.cautions, `Docker starts, but a container that publishes a port does not (${because})`] }
}
