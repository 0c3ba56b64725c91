import type { Stryker } from '@stryker-mutator/core'

/** How `npm run mutation` tests the tests; docs/mutation.md tells what came of it. */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  mutate: [
    'src/verdicts/**/*.ts',
    'src/facts/**/*.ts',
    'src/node-sync/{condition,condition-writer,conflicts,difference,drift,hold,label-writer,labels,metadata-writer,node-view,reconcile,refused-keys,removal,startup-taint}.ts'
  ],
  coverageAnalysis: 'perTest',
  // Only tables and patterns that are built as a module is loaded. Each such mutant would cost a run of every test.
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 20_000, // on a machine that others load
  thresholds: { high: 98, low: 95, break: 95 },
  ignorePatterns: ['/coverage', '/dist', '/docs', '/manifests', '/test/{agent,cluster,machine,node,scale}'],
  // git ignores dist.
  tempDirName: 'dist/mutation',
  cleanTempDir: 'always',
  incrementalFile: 'dist/mutation-incremental.json',
  jsonReporter: { fileName: 'dist/mutation.json' },
  reporters: ['progress', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  allowConsoleColors: false,
  // Stryker would ask TypeScript for functions that TypeScript 7 does not have. Nothing in ours leads out of the project.
  tsconfigFile: 'none'
} satisfies ConstructorParameters<typeof Stryker>[0]
