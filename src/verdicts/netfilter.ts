import type { ModuleName } from '../facts/kernel-modules/names.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { judgeModuleNow, judgeModulePart, moduleWayOut } from './modules.ts'
import { allOf, anyOf, type Verdict } from './verdict.ts'

/** Matches and targets of Docker's rules, by either iptables. */
const MATCHES = ['xt_addrtype', 'xt_conntrack', 'xt_MASQUERADE'] as const satisfies readonly ModuleName[]
/** Without these dockerd starts, and a container that publishes a port does not. */
const PORTS = ['xt_nat', 'xt_tcpudp'] as const satisfies readonly ModuleName[]

/** What iptables-nft needs, which Envbox's Docker uses: without any of it dockerd does not start. Measured with Docker 26 and 29. */
export const judgeNftables = (facts: NodeFacts): Verdict =>
  withPorts(
    facts,
    judgeAll(facts, 'netfilter (iptables-nft)', partsOf(facts, ['nf_tables', 'nft_compat', 'nft_chain_nat', ...MATCHES]))
  )

/**
 * Where the workspace's own image chooses its iptables: the set above, or what iptables-legacy needs. A user namespace cannot have
 * ip_tables loaded, which legacy asks for by running modprobe; the rest the kernel loads by itself.
 */
export const judgeAnyNetfilter = (facts: NodeFacts): Verdict => {
  const legacy = judgeAll(facts, 'netfilter (iptables-legacy)', {
    ip_tables: judgeModuleNow(facts, 'ip_tables'),
    ...partsOf(facts, ['iptable_nat', 'iptable_filter', 'iptable_raw', ...MATCHES])
  })
  return anyOf('netfilter', [judgeNftables(facts), withPorts(facts, legacy)])
}

/** With one way out for all that is missing. */
function judgeAll(facts: NodeFacts, name: string, parts: Readonly<Partial<Record<ModuleName, Verdict>>>): Verdict {
  const set = allOf(name, Object.values(parts))
  const missing = Object.entries(parts).flatMap(([module, { answer }]) => (answer === 'no' ? [module] : []))
  if (missing.length < 2) return set
  const wayOut = `Install the kernel package that holds ${missing.join(', ')} (EL 10: kernel-modules-extra), and remove what keeps them from being loaded.`
  return { ...set, wayOut: [moduleWayOut(facts, wayOut)] }
}

const partsOf = (facts: NodeFacts, names: readonly ModuleName[]): Readonly<Partial<Record<ModuleName, Verdict>>> =>
  Object.fromEntries(names.map(name => [name, judgeModulePart(facts, name)]))

function withPorts(facts: NodeFacts, set: Verdict): Verdict {
  const lacking = PORTS.map(name => judgeModulePart(facts, name)).filter(({ answer }) => answer !== 'yes')
  if (set.answer !== 'yes' || lacking.length === 0) return set
  const because = lacking.map(part => part.because).join('; ')
  return { ...set, cautions: [...set.cautions, `Docker starts, but a container that publishes a port does not (${because})`] }
}
