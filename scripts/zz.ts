import { recordedFleet, fleetOf } from '../test/unit/publish/fleet-sample.ts'
import { fleetTable } from '../src/publish/fleet-text.ts'
import { capabilityText } from '../src/publish/fleet-capability.ts'
import { fleetCsv } from '../src/publish/fleet-csv.ts'
import { fleetJson } from '../src/publish/fleet-json.ts'
import { fleetPage } from '../src/publish/fleet-page.ts'
import { painter } from '../src/publish/paint.ts'
import { poolAdvice } from '../src/publish/fleet-autoscaler.ts'
import { adviceText } from '../src/publish/fleet-autoscaler-text.ts'
import { writeFileSync } from 'node:fs'
const fleet = fleetOf(await recordedFleet())
const paint = painter({color:false, columns:110})
const out = (p: Iterable<string>) => process.stdout.write([...p].join('') + '\n=======\n')
out(fleetTable(fleet, paint, {why: false}))
out(fleetTable(fleet, paint, {why: true}))
out(capabilityText({...fleet, capabilities:['cached-cvm']}, 'cached-cvm', paint))
out(fleet.pools.map(p => adviceText(poolAdvice(p, fleet, 'startup-taint.cluster-autoscaler.kubernetes.io/berth'), paint)+'\n'))
out([...fleetCsv(fleet, {why:true})].slice(0,3))
console.log([...fleetJson(fleet)].join('').slice(0,3000))
JSON.parse([...fleetJson(fleet)].join(''))
writeFileSync('/tmp/fleet.html', [...fleetPage(fleet)].join(''))
