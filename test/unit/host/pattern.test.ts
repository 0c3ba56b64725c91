import { expect, onTestFinished, test } from 'vitest'
import { apartHost } from '../../../src/host/apart.ts'
import type { HostReader } from '../../../src/host/host.ts'
import { localHost } from '../../../src/host/local.ts'
import { recordedHost } from '../../../src/host/recorded.ts'
import { witness } from '../../../src/host/witness.ts'
import { temporary } from './temporary.ts'

const node = () => temporary({ 'etc/os-release': 'ID=debian\nid=x\n' })

function apart(): HostReader {
  const host = apartHost(node(), { program: 'nothing-is-started' })
  onTestFinished(() => host.close())
  return host
}

test.each<[string, () => HostReader]>([
  ['a witness', () => witness(localHost(node())).host],
  ['a recorded node', () => recordedHost({ schema: 1, paths: { '/etc/os-release': { lines: { '^id=': ['id=x'] } } } })],
  ['a node that a separate process reads', apart]
])('%s refuses a pattern with flags, which it would drop', async (_, host) => {
  const refused = { name: 'TypeError', message: 'the pattern /^id=/i has flags; expected none' }
  await expect((async () => await host().lines('/etc/os-release', /^id=/i))()).rejects.toMatchObject(refused)
})
