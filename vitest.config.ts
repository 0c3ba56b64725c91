import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/sequencer.ts'
import { OLDEST_RELEASE_TESTS } from './test/support/go-programs.ts'

export default defineConfig({
  test: {
    // Most of the time the tests wait for a control plane; by default there would be one worker on two cores.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/nodes/**/*.test.ts'],
          exclude: ['**/*.root.test.ts'],
          // Modules are loaded once for each worker and not for each file, which saves a seventh of the time. No test of these replaces
          // a module or changes what another one finds.
          isolate: false,
          unstubEnvs: true,
          testTimeout: 60_000, // on a machine that others load
          hookTimeout: 60_000
        }
      },
      {
        test: {
          // Mounts and networks of their own on this machine.
          name: 'root',
          include: ['test/unit/**/*.root.test.ts', 'test/nodes/**/*.root.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      },
      {
        test: {
          name: 'agent',
          include: ['test/agent/**/*.test.ts'],
          // A browser beside four workers on two cores may take seconds for a key press.
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 60_000,
          hookTimeout: 120_000
        }
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/cluster/global.ts'],
          testTimeout: 150_000,
          hookTimeout: 300_000
        }
      },
      {
        test: {
          // What depends on the API server's version, on the oldest that is supported.
          name: 'oldest',
          include: OLDEST_RELEASE_TESTS.map(name => `test/cluster/${name}.test.ts`),
          globalSetup: ['test/cluster/global-oldest.ts'],
          testTimeout: 150_000,
          hookTimeout: 300_000
        }
      },
      {
        test: {
          name: 'machine',
          include: ['test/machine/**/*.test.ts'],
          globalSetup: ['test/machine/global.ts'],
          testTimeout: 600_000, // a build in a machine takes 45 s, on a machine that others load many times that
          hookTimeout: 600_000
        }
      },
      {
        test: {
          name: 'node',
          include: ['test/node/**/*.test.ts'],
          globalSetup: ['test/node/global.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000
        }
      }
    ]
  }
})
