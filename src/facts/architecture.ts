import { type Detector, defineFact } from './define-fact.ts'

export const detectArchitecture: Detector<string> = ({ host }) => host.arch()

export const architectureFact = defineFact({
  name: 'architecture',
  describes: 'amd64, arm64, …',
  detect: detectArchitecture,
  format: arch => arch
})
