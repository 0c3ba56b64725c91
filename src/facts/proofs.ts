import type { Evidence } from '../host/host.ts'

/** What only root can try, each by its name. */
export const TRIALS = ['id-mapped-mount', 'overlay-on-id-mapped', 'shiftfs-on-disk', 'shiftfs-on-overlay', 'procfs'] as const
export type TrialName = (typeof TRIALS)[number]

/** What came of one trial: it worked, it did not, or it could not be tried, and nothing is proved. */
export interface Proof {
  readonly outcome: 'works' | 'fails' | 'untried'
  /** One sentence with what was measured: `mountinfo says "idmapped", and root's file shows 165536`. */
  readonly because: string
}

export type Proofs = Readonly<Record<TrialName, Proof>>

/** Every trial with one reason why it was not made. */
export const untried = (because: string): Proofs =>
  Object.fromEntries(TRIALS.map(name => [name, { outcome: 'untried', because }])) as unknown as Proofs

/** The trials that were made, as evidence of what follows from them. */
export const evidenceOfProofs = (proofs: Proofs): readonly Evidence[] =>
  TRIALS.map(name => ({ source: `trial ${name}`, saw: `${proofs[name].outcome}: ${proofs[name].because}` }))
