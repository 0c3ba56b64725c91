import { buildBundle } from '../test/support/bundle.ts'
import { type ControlPlane, startControlPlane } from '../test/support/cluster/control-plane.ts'
import type { Agent } from './compare-agent.ts'
import { berth } from './compare-berth.ts'
import { measure, type Plan, type Result } from './compare-measure.ts'
import { nodeFeatureDiscovery } from './compare-nfd.ts'
import { table } from './compare-table.ts'

// `npm run compare -- SECONDS`, of idle time; needs what `npm run test:prepare` makes, and root.
const idle = Number(process.argv[2] ?? 180) * 1000

/** On an API server of its own, and while the other does not run. */
async function measured(install: (plane: ControlPlane) => Promise<Agent>, labels: Plan['labels']): Promise<Result> {
  const plane = await startControlPlane()
  try {
    const result = await measure(plane, await install(plane), { idle, labels })
    process.stderr.write(`${JSON.stringify(result)}\n`)
    return result
  } finally {
    await plane.close()
  }
}

await buildBundle()
const results = [
  await measured(nodeFeatureDiscovery, { version: 'feature.node.kubernetes.io/system-os_release.VERSION_ID' }),
  await measured(berth, { version: 'berth.dev/distro', fuse: 'berth.dev/podman' })
]
process.stdout.write(table(results))
