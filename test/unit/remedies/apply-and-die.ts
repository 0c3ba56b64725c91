import process from 'node:process'
import { userNamespaces } from '../../../src/remedies/user-namespaces/apply.ts'
import { distro, factsOf } from '../node-facts.ts'
import { kernelHost } from './kernel-host.ts'

// A process of its own, to be killed at any moment: apply-and-die.ts ROOT DISTRO
const [root = '', id = ''] = process.argv.slice(2)
process.stdout.write('ready\n')
await userNamespaces.apply(kernelHost(root), factsOf({ distro: distro(id, '1') }), { maxUserNamespaces: 65_536 })
