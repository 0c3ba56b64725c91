import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { ROOT } from '../packaging/root.ts'

/** They take minutes, most of which the first three wait. At the end they would wait alone, with nothing left to do meanwhile. */
const FIRST = [
  'test/cluster/chaos.test.ts',
  'test/cluster/agent-idle.test.ts',
  'test/cluster/agent-outages.test.ts',
  'test/cluster/agent-odds.test.ts',
  'test/machine/helper.test.ts',
  'test/machine/trials.test.ts'
]

/** The longest begin first, all others as vitest has them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => FIRST.indexOf(relative(ROOT, moduleId))
    const [first, rest] = [files.filter(file => place(file) >= 0), files.filter(file => place(file) < 0)]
    return [...first.sort((one, other) => place(one) - place(other)), ...(await super.sort(rest))]
  }
}
