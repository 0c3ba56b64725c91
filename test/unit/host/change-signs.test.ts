import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createPulse } from '../../../src/host/change-signs.ts'
import { temporary } from './temporary.ts'

const LIMIT = 'proc/sys/user/max_user_namespaces'
const NODE = {
  [LIMIT]: '65536\n',
  'sys/module/fuse': 'directory/',
  'dev/fuse': '',
  'sys/fs/cgroup/system.slice': 'directory/',
  'etc/modprobe.d/a.conf': ''
}

/** Whether the pulse of a node tells at its next call that it was changed. */
function isHeard(entries: Readonly<Record<string, string>>, change: (root: string) => void): boolean {
  const root = temporary(entries)
  const handover = join(root, 'handover.json')
  const pulse = createPulse(root, [handover])
  const before = pulse()
  for (let call = 0; call < 8; call += 1) if (pulse() !== before) throw new Error('nothing was changed yet')
  change(root)
  return pulse() !== before
}

describe('the next call shows a change:', () => {
  test.each<[string, (root: string) => void]>([
    ['the limit of user namespaces', root => writeFileSync(join(root, LIMIT), '0\n')],
    ['the limit cannot be read', root => writeFileSync(join(root, LIMIT), '')],
    ['a module was loaded', root => mkdirSync(join(root, 'sys/module/shiftfs'))],
    ['a module was unloaded', root => rmSync(join(root, 'sys/module/fuse'), { recursive: true })],
    ['the FUSE device got another mode', root => chmodSync(join(root, 'dev/fuse'), 0o600)],
    ['the FUSE device was removed', root => rmSync(join(root, 'dev/fuse'))],
    ['the NVIDIA driver was loaded', root => writeFileSync(join(root, 'dev/nvidiactl'), '')],
    ['a GPU was added', root => writeFileSync(join(root, 'dev/nvidia0'), '')],
    ['a daemon of Sysbox started', root => mkdirSync(join(root, 'sys/fs/cgroup/system.slice/sysbox-mgr.service'))],
    ['the other daemon of Sysbox started', root => mkdirSync(join(root, 'sys/fs/cgroup/system.slice/sysbox-fs.service'))],
    ['the helper wrote a handover', root => writeFileSync(join(root, 'handover.json'), '{}')]
  ])('%s', (_, change) => {
    expect(isHeard(NODE, change)).toBe(true)
  })

  test('a file system was registered, without /sys', () => {
    const node = { [LIMIT]: '1\n', 'proc/modules': 'fuse 1 2 - Live 0x0\n', 'proc/filesystems': '\text4\n' }
    expect(isHeard(node, root => writeFileSync(join(root, 'proc/filesystems'), '\text4\n\tfuse\n'))).toBe(true)
    expect(isHeard(node, root => writeFileSync(join(root, 'proc/modules'), 'fuse 7 9 - Live 0x0\n'))).toBe(false)
  })
})
