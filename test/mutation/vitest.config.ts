import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** A mutant is done with at the first test that fails. The recorded nodes take longer than all others together. */
class NodesLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isNodes = ({ moduleId }: TestSpecification) => Number(moduleId.includes('/test/nodes/'))
    return (await super.sort(files)).toSorted((one, other) => isNodes(one) - isNodes(other))
  }
}

/** The tests that have to kill a mutant: those of the rooms that are mutated, and of the recorded nodes those that take no minutes. */
export default defineConfig({
  test: {
    include: ['test/unit/{cycle,facts,node-sync,verdicts}/**/*.test.ts', 'test/nodes/nodes.test.ts'],
    // Pages, tables and servers tell of a verdict what others have decided.
    exclude: ['**/*.root.test.ts'],
    sequence: { sequencer: NodesLast }
  }
})
