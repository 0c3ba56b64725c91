import { mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { expect, inject, test } from 'vitest'
import { ROOT } from '../../packaging/root.ts'
import { startPrometheus } from '../agent/prometheus.ts'
import { render } from '../cluster/kustomize.ts'
import { eventually, nodeOf } from '../support/cluster/agent-process.ts'
import { writeKubeconfig } from '../support/cluster/kubeconfigs.ts'
import type { Manifest } from '../support/cluster/manifests.ts'
import { programFolder } from '../support/go-programs.ts'
import { commandsIn, sectionOf } from '../support/page-commands.ts'
import { NODE_NAME, type RealNode, startNode } from './node.ts'
import { scrapeConfigOf } from './pod-monitor.ts'

const PAGE = 'docs/install.md'

test(`${PAGE} installs and removes what it says, command by command, and Prometheus finds what it installs`, async () => {
  await using node = await startNode({ images: inject('images') })
  const { plane, folder } = node
  const kubernetes = await programFolder('kubernetes')
  // As a person has it: kubectl on the PATH, and the cluster in the usual file.
  const home = join(folder, 'home')
  await mkdir(join(home, '.kube'), { recursive: true })
  await symlink(plane.kubeconfig, join(home, '.kube/config'))
  const env = { PATH: `${kubernetes}:${dirname(process.execPath)}:${process.env['PATH']}`, HOME: home }
  const own = nodeOf(plane, NODE_NAME)

  const said = new Map<string, string>()
  for (const command of ['Install', 'Remove'].flatMap(section => commandsIn(sectionOf(PAGE, section)))) {
    if (/ delete /.test(command)) await scraped(node)
    // What was installed a moment ago has to start.
    if (/ exec /.test(command)) await own.isLabelled()
    const { all } = await execa('sh', ['-c', command], { cwd: ROOT, env, all: true, stdin: 'ignore' })
    console.log(`$ ${command}\n${all}`)
    said.set(command, all)
  }
  const of = (part: RegExp) => [...said].find(([command]) => part.test(command))?.[1]
  expect(of(/rollout/)).toContain('successfully rolled out')
  expect(of(/get nodes/)).toMatch(/^node .* (true|false|unknown) .* debian-12$/m)
  expect(of(/doctor/)).toMatch(/guard +ok[\s\S]*\n12 ok, 0 no, 2 unknown/)
  expect(of(/all-nodes --kubeconfig/)).toMatch(/removed 13 labels \(cached-cvm, cvm,/)
  expect(await own.ours()).toEqual({})
  expect((await own.conditions()).map(({ type }) => type)).not.toContain('WorkspaceNodeReady')
})

/** Finds the agent by its PodMonitor, scrapes it, and answers what the node can host. */
async function scraped({ plane, folder, run, inNetwork }: RealNode): Promise<void> {
  const [monitor] = (await render('monitoring')).filter(({ kind }) => kind === 'PodMonitor')
  const kubeconfig = await writeKubeconfig(folder, {
    cluster: { server: 'https://10.0.0.1:443', 'certificate-authority': plane.caFile },
    user: { 'client-certificate': join(plane.directory, 'admin.crt'), 'client-key': join(plane.directory, 'admin.key') }
  })
  const ask = (url: string) =>
    run([process.execPath, '-e', `fetch(${JSON.stringify(url)}).then(r => r.text()).then(console.log)`])
  const prometheus = await startPrometheus({
    ...{ scrape: scrapeConfigOf(monitor as Manifest, kubeconfig) },
    ...{ prefix: inNetwork, ask }
  })
  try {
    const found = await eventually('Prometheus has scraped the pod', async () => {
      const samples = await prometheus.query('berth_capability{job="berth"} == 1')
      return samples.length > 0 && samples
    })
    const labels = await nodeOf(plane, NODE_NAME).ours()
    const answers = Object.fromEntries(found.map(({ metric }) => [`berth.dev/${metric['capability']}`, metric['answer']]))
    const meant = { yes: 'true', no: 'false', unknown: 'unknown' } as const
    for (const [key, answer] of Object.entries(answers)) expect(meant[answer as 'yes'], key).toBe(labels[key])
    expect(new Set(found.map(({ metric }) => metric['node']))).toEqual(new Set([NODE_NAME]))
  } finally {
    await prometheus.stop()
  }
}
