import process from 'node:process'
import { localWriter } from '../../../src/host/local-writer.ts'
import { build } from '../../../src/remedies/shiftfs/build.ts'

// A process of its own, to be killed while make runs: build-and-die.ts RELEASE SCRATCH
const [release = '', scratch = ''] = process.argv.slice(2)
await build(localWriter('/'), { release, source: { files: new Map(), checksum: '' }, scratch })
