import type { NodeFacts } from '../facts/observe.ts'
import { ask, no, type Verdict, yes } from './verdict.ts'

export const judgeArchitecture = (facts: NodeFacts): Verdict =>
  ask(facts, 'architecture', 'architecture', arch =>
    arch === 'amd64' || arch === 'arm64'
      ? yes(`architecture ${arch}`)
      : no(`architecture ${arch}; Sysbox runs on amd64 and arm64 only`, 'Use a node pool of amd64 or arm64 machines.')
  )
