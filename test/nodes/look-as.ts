import process from 'node:process'
import type { FactName } from '../../src/facts/observe.ts'
import { localHost } from '../../src/host/local.ts'
import { machines } from './machines.ts'
import { answersOf, plainFact, see } from './sight.ts'

/**
 * `node look-as.ts UID ROOT NAME`, run as root: becomes that user, in no group of root's, looks at the files below ROOT as machine NAME,
 * and prints facts and answers as JSON. All that it needs is loaded before, since a user may not be let into this repository.
 */
const [, , uid, root, name] = process.argv
const machine = Object.entries(machines).find(([each]) => each === name)?.[1]
if (machine === undefined || root === undefined) throw new Error(`no machine "${name}", or no root "${root}"`)

process.setgroups?.([])
process.setgid?.(Number(uid))
process.setuid?.(Number(uid))
const sight = await see(localHost(root), machine)
const facts = (Object.keys(sight.facts) as FactName[]).map(fact => [fact, plainFact(sight.facts[fact])])
process.stdout.write(JSON.stringify({ uid: process.getuid?.(), facts: Object.fromEntries(facts), answers: answersOf(sight) }))
