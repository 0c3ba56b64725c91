import process from 'node:process'
import { chaos } from '../test/cluster/chaos/run.ts'
import { buildBundle } from '../test/support/bundle.ts'

// `npm run chaos -- SECONDS SEED`; needs what `npm run test:prepare` makes, and root.
const [seconds = '600', seed = '21'] = process.argv.slice(2)
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

await buildBundle()
const wrong = await chaos({ seconds: Number(seconds), seed: Number(seed), say })
for (const what of wrong) say(`WRONG: ${what}`)
say(wrong.length === 0 ? 'all is right' : `${wrong.length} things are wrong`)
process.exitCode = wrong.length === 0 ? 0 : 1
