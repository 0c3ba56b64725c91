import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { dump, load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import type { Recording } from '../../../src/host/recorded.ts'
import { painter } from '../../../src/paint.ts'
import { type Finding, findingsTable } from '../../../src/report/findings.ts'
import { temporary } from '../host/temporary.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** Clears the screen, sets the title, starts a command with one byte, turns the direction of writing. */
const EVIL = '\x1b[2J\x1b]0;owned\x07\u009b31m\u202e'
/** All that steers a terminal but the end of a line and our own colours. */
const STEERS = /(?!\n|\x1b\[\d+m)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

/** A recorded node and a Node object that whoever owns the node has written into wherever they can. */
function hostileNode(): readonly string[] {
  const folder = temporary()
  const { paths, ...rest } = load(readFileSync(join(ROOT, 'test/nodes/debian-12-headers.yaml'), 'utf8')) as Recording
  const mounts = paths['/proc/1/mountinfo']?.text ?? ''
  const evil: Recording['paths'] = {
    '/etc/os-release': { text: `ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian ${EVIL}"\n` },
    '/proc/1/mountinfo': {
      text: `${mounts}90 22 0:99 / /var/lib/${EVIL} rw - ext4 none rw\n91 22 0:98 / /var/lib rw - x${EVIL} none rw\n`
    },
    '/sys/class/dmi/id/product_name': { text: `x${EVIL}\n` },
    '/proc/driver/nvidia/version': { text: `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.${EVIL}  x\n` }
  }
  const recording = join(folder, 'node.yaml')
  writeFileSync(recording, dump({ ...rest, paths: { ...paths, ...evil } }))
  const node = join(folder, 'node.json')
  const nodeInfo = { kubeletVersion: `v1.35.0${EVIL}`, containerRuntimeVersion: `containerd://2.1${EVIL}` }
  const spec = { taints: [{ key: `a${EVIL}`, value: EVIL, effect: 'NoSchedule' }] }
  const status = { nodeInfo, allocatable: { [`evil.example/${EVIL}`]: '3' }, runtimeHandlers: [{ name: EVIL }] }
  writeFileSync(node, JSON.stringify({ kind: 'Node', metadata: { name: `n1${EVIL}` }, spec, status }))
  return ['--host-root', recording, '--node', node]
}

const berth = (...args: readonly string[]) =>
  execa(process.execPath, ['src/main.ts', ...args], { cwd: ROOT, reject: false, env: { FORCE_COLOR: '1', NO_COLOR: '' } })

describe('nothing that a node says steers the terminal', () => {
  test.each(['report', 'report --format json', 'explain cvm', 'explain podman', 'explain cvm --format json'])(
    'of %s',
    async command => {
      const { stdout, exitCode } = await berth(...command.split(' '), ...hostileNode())
      expect(exitCode).toBe(0)
      expect(stdout).toContain('\\u001b[2J')
      expect(stdout.match(STEERS)).toBe(null)
      if (command.endsWith('json')) expect(JSON.stringify(JSON.parse(stdout))).toContain('owned')
    }
  )

  test('of a message about an option', async () => {
    const { stderr, exitCode } = await berth('report', '--host-root', `/nowhere${EVIL}`)
    expect({ exitCode, steers: stderr.match(STEERS) }).toEqual({ exitCode: 2, steers: null })
    expect(stderr).toContain('\\u001b[2J')
  })

  test('of doctor', () => {
    const found: Finding = { check: 'condition', answer: 'no', saw: `reason ${EVIL}`, cautions: [EVIL], wayOut: `see ${EVIL}` }
    const text = findingsTable([found], painter({ color: true, columns: 100 }))
    expect(text.match(/\\u001b\[2J/g)).toHaveLength(3)
    expect(text.match(STEERS)).toBe(null)
  })
})
