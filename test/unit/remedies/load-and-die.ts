import process from 'node:process'
import { shiftfs } from '../../../src/remedies/shiftfs/apply.ts'
import { persist } from '../../../src/remedies/shiftfs/persist.ts'
import { loadableUnder, moduleHost, shiftfsTerms } from './shiftfs-kernel.ts'

// A process of its own, to be killed at any moment: load-and-die.ts ROOT BOOT RELEASE FILE
const [root = '', boot = '', release = '', file = ''] = process.argv.slice(2)
const host = moduleHost(root, { delay: () => Math.random() * 20 })
process.stdout.write('ready\n')
await shiftfs.apply(host, loadableUnder(boot), shiftfsTerms(root))
await persist(host, { release, file })
