import { FUSE_DEVICE, type Fuse } from '../facts/fuse.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { judgeModulePart, moduleWayOut } from './modules.ts'
import { allOf, ask, type Judgement, no, type Verdict, yes } from './verdict.ts'

/** The driver is registered or can be loaded, and /dev/fuse is there: opening the device is what loads the driver. */
export const judgeFuse = (facts: NodeFacts): Verdict =>
  allOf('FUSE', [judgeFuseDriver(facts), judgeFuseDevice(facts)], ['FUSE driver'])

const judgeFuseDriver = (facts: NodeFacts): Verdict =>
  facts.fuse.known && facts.fuse.value.registered
    ? ask(facts, 'FUSE driver', 'fuse', () => yes('fuse is registered in /proc/filesystems'))
    : { ...judgeModulePart(facts, 'fuse'), name: 'FUSE driver' }

export const judgeFuseDevice = (facts: NodeFacts): Verdict =>
  ask(facts, 'FUSE device', 'fuse', found => judgeDevice(facts, found))

function judgeDevice(facts: NodeFacts, { device, registered }: Fuse): Judgement {
  if (device === undefined) {
    return no(
      registered ? '/dev/fuse is not there, although the driver is' : '/dev/fuse is not there, so nothing loads the driver',
      // devtmpfs makes the device when the driver comes, and not again after somebody removed it.
      registered
        ? 'Create it: mknod -m 666 /dev/fuse c 10 229.'
        : moduleWayOut(facts, 'Load the driver, which makes it: modprobe fuse.')
    )
  }
  return device.number === FUSE_DEVICE
    ? yes(`/dev/fuse is the device ${FUSE_DEVICE}`)
    : no(
        `/dev/fuse is ${device.number}, not the device ${FUSE_DEVICE}`,
        'Replace it: rm /dev/fuse; mknod -m 666 /dev/fuse c 10 229.'
      )
}
