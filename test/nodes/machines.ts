import type { Answer } from '../../src/verdicts/verdict.ts'
import { answerOf } from './answers/answers.ts'
import { kvm } from './answers/kvm.ts'
import { usernsAnswer } from './answers/userns.ts'
import { clouds } from './machines/clouds.ts'
import { gpus } from './machines/gpus.ts'
import { kvms } from './machines/kvms.ts'
import { odd } from './machines/odd.ts'
import { plain } from './machines/plain.ts'
import { sysboxes } from './machines/sysboxes.ts'
import { usernsNodes } from './machines/userns.ts'
import type { Expected, Machine, TabledCapability } from './played.ts'

const recorded = { ...clouds, ...plain, ...gpus, ...sysboxes, ...odd, ...usernsNodes, ...kvms } as const

export type MachineName = keyof typeof recorded

/** Capabilities whose answers stand in a table of their own, in the order of the labels. */
const TABLES: Readonly<Record<TabledCapability, (machine: string) => Answer>> = {
  userns: usernsAnswer,
  kvm: machine => answerOf(kvm, machine)
}

const expectedOf = (name: MachineName): Expected => ({
  ...recorded[name].expected,
  ...(Object.fromEntries(Object.entries(TABLES).map(([capability, answer]) => [capability, answer(name)])) as Pick<
    Expected,
    TabledCapability
  >)
})

/** Every machine that is recorded in this folder; `npm run golden` writes the recordings and the goldens from it. */
export const machines: Readonly<Record<string, Machine>> = Object.fromEntries(
  (Object.keys(recorded) as MachineName[]).map(name => [name, { ...recorded[name], expected: expectedOf(name) }])
)
