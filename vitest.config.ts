import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/nodes/**/*.test.ts'] } },
      { test: { name: 'agent', include: ['test/agent/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 } },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/cluster/global.ts'],
          testTimeout: 60_000,
          hookTimeout: 900_000
        }
      }
    ]
  }
})
