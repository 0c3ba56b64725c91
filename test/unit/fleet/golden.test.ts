import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { poolText } from '../../../src/fleet/pools.ts'
import type { V1Node } from '../../../src/kubernetes/models.ts'
import { FLEET_GOLDENS, fleetGoldenFile, fleetOf, formatFleet, recordedFleet } from '../../support/recorded-fleet.ts'

let nodes: readonly V1Node[]
beforeAll(async () => {
  nodes = await recordedFleet()
})

test('the recorded cluster has 40 nodes in 5 pools', () => {
  expect(nodes).toHaveLength(40)
  expect(new Set(nodes.map(({ metadata }) => metadata?.name)).size).toBe(40)
  expect(fleetOf(nodes).pools.map(({ pool }) => poolText(pool))).toEqual([
    'EKS node group al2023',
    'EKS node group bottlerocket',
    'Karpenter node pool general',
    'Karpenter node pool gpu',
    'EKS node group ubuntu-22'
  ])
})

test.each(Object.entries(FLEET_GOLDENS))('%s is formatted as in its golden file (npm run golden writes it)', (name, args) => {
  expect(formatFleet(nodes, args)).toBe(readFileSync(fleetGoldenFile(name), 'utf8'))
})

test('there is no unused golden file', () => {
  const files = readdirSync(dirname(fleetGoldenFile('')))
  expect(files.sort()).toEqual(
    Object.keys(FLEET_GOLDENS)
      .map(name => `${name}.txt`)
      .sort()
  )
})
