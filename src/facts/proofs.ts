import type { Evidence } from '../host/host.ts'

/** The trials, which need root. */
export const TRIALS = ['id-mapped-mount', 'overlay-on-id-mapped', 'shiftfs-on-disk', 'shiftfs-on-overlay', 'procfs'] as const
export type TrialName = (typeof TRIALS)[number]

/** The result of one trial: it works, it fails, or it could not be tried, which proves nothing. */
export interface Proof {
  readonly outcome: 'works' | 'fails' | 'untried'
  /** One sentence with the measurement: `mountinfo says "idmapped", and root's file shows 165536`. */
  readonly because: string
}

export type Proofs = Readonly<Record<TrialName, Proof>>

/** Every trial as untried, with one reason. */
export const untried = (because: string): Proofs =>
  Object.fromEntries(TRIALS.map(name => [name, { outcome: 'untried', because }])) as unknown as Proofs

/** The results of the trials as evidence. */
export const evidenceOfProofs = (proofs: Proofs): readonly Evidence[] =>
  TRIALS.map(name => ({ source: `trial ${name}`, saw: `${proofs[name].outcome}: ${proofs[name].because}` }))
