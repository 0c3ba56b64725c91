import { STORMS, simulate } from './test/scale/storm/storms.ts'
for (const name of ['boot', 'outage', 'restart'])
  for (const seed of [2, 3, 4]) {
    const r = await simulate(STORMS[name]!, 15000, seed)
    console.log(name, seed, r.peak, r.sustained, r.rightAfter, r.calmAfter, JSON.stringify(r.requests))
  }
