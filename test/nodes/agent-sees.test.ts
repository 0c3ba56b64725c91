import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { agentSees, SEEN } from './agent-sees.ts'

it('the table of what the agent cannot read is as the recorded nodes have it (npm run golden writes it anew)', async () => {
  expect(readFileSync(SEEN, 'utf8')).toBe(await agentSees())
})

it('that table has a row for each cloud, and a node on which nothing is hidden', async () => {
  const rows = JSON.parse(await agentSees()) as readonly (readonly string[])[]
  expect(new Set(rows.map(([image]) => image?.split(',')[0]))).toEqual(new Set(['GKE', 'EKS', 'AKS']))
  expect(rows.map(([, hidden]) => hidden)).toContain('nothing')
})
