import { mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { expect, inject, test } from 'vitest'
import { ROOT } from '../../scripts/steps.ts'
import { nodeOf } from '../cluster/agent-process.ts'
import { NODE_NAME, startNode } from './node.ts'
import { nodePrograms } from './programs.ts'
import { commandsOf } from './readme.ts'

const SECTION = 'Install and verify'

test(`the README's section "${SECTION}" does what it says, line by line`, async () => {
  await using node = await startNode({ images: inject('images') })
  const { plane, folder } = node
  const { kubernetes } = await nodePrograms()
  // As a person has it: kubectl on the PATH, and the cluster in the usual file.
  const home = join(folder, 'home')
  await mkdir(join(home, '.kube'), { recursive: true })
  await symlink(plane.kubeconfig, join(home, '.kube/config'))
  const env = { PATH: `${kubernetes}:${dirname(process.execPath)}:${process.env['PATH']}`, HOME: home }
  const own = nodeOf(plane, NODE_NAME)

  const said = new Map<string, string>()
  for (const command of commandsOf(SECTION)) {
    // What was installed a moment ago has to start.
    if (/ exec /.test(command)) await own.isLabelled()
    const { all } = await execa('sh', ['-c', command], { cwd: ROOT, env, all: true, stdin: 'ignore' })
    console.log(`$ ${command}\n${all}`)
    said.set(command, all)
  }
  const of = (part: RegExp) => [...said].find(([command]) => part.test(command))?.[1]
  expect(of(/rollout/)).toContain('successfully rolled out')
  expect(of(/get nodes/)).toMatch(/^node .* (true|false|unknown) .* debian-12$/m)
  expect(of(/doctor/)).toMatch(/guard +ok[\s\S]*\n12 ok, 0 no, 0 unknown/)
  expect(of(/all-nodes --kubeconfig/)).toMatch(/removed 11 labels \(cached-cvm, cvm,/)
  expect(await own.ours()).toEqual({})
  expect((await own.conditions()).map(({ type }) => type)).not.toContain('WorkspaceNodeReady')
})
