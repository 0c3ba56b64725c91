import { type Detector, defineFact } from './define-fact.ts'
import { evidenceOfProofs, type Proofs, TRIALS, untried } from './proofs.ts'

/** The trials of the privileged helper in this boot. Without a helper the fact is known, and every trial is untried. */
export const detectProofs: Detector<Proofs> = async ({ proofs }) => proofs ?? UNTRIED

const UNTRIED = untried('no privileged helper runs on this node')

/** The common reason if nothing was tried, else the names of the trials by outcome. */
function formatProofs(proofs: Proofs): string {
  const reasons = [...new Set(TRIALS.map(name => proofs[name].because))]
  if (TRIALS.every(name => proofs[name].outcome === 'untried') && reasons.length === 1) return `none: ${reasons[0]}`
  const by = (outcome: string): readonly string[] => TRIALS.filter(name => proofs[name].outcome === outcome)
  return (['works', 'fails', 'untried'] as const)
    .filter(outcome => by(outcome).length > 0)
    .map(outcome => `${outcome}: ${by(outcome).join(', ')}`)
    .join('; ')
}

export const proofsFact = defineFact({
  name: 'proofs',
  describes: "results of the privileged helper's trials: ID-mapped mounts, overlayfs on them, shiftfs, a new procfs",
  detect: detectProofs,
  format: formatProofs,
  furtherEvidence: ({ proofs }, value) => (proofs === undefined ? [] : evidenceOfProofs(value))
})
