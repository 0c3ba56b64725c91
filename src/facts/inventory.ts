import type { Inventory } from '../host/host.ts'
import { gibibytes } from '../host/witness.ts'
import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { listed } from './listed.ts'

const detectInventory: Detector<Inventory> = async ({ host }) => {
  const inventory = await host.inventory()
  if (inventory === undefined) throw new Unsure('the host root belongs to another machine than the one this process runs on')
  return inventory
}

export const inventoryFact = defineFact({
  name: 'inventory',
  describes: 'processor, memory and disks; no label depends on them',
  detect: detectInventory,
  format: ({ cpu, memory, disks }) =>
    `${cpu.cores} × ${cpu.model}, ${gibibytes(memory.total)} memory, ${listed(
      disks.map(({ name, size, type }) => `${name} ${gibibytes(size)} ${type}`),
      'no disks found'
    )}`,
  isInformational: true
})
