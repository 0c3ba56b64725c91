import { FUSE_DEVICE, type Fuse } from '../facts/fuse.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { judgeModulePart, moduleWayOut } from './modules.ts'
import { allOf, ask, type Judgement, no, type Verdict, yes } from './verdict.ts'

/** FUSE works if the driver is registered or loadable and /dev/fuse exists: opening the device loads the driver. */
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
      registered ? '/dev/fuse is missing, although the driver is loaded' : '/dev/fuse is missing, so nothing loads the driver',
      // devtmpfs creates the device when the driver is loaded, and not again after it was removed.
      registered
        ? 'Create the device: mknod -m 666 /dev/fuse c 10 229.'
        : moduleWayOut(facts, 'Load the driver, which creates the device: modprobe fuse.')
    )
  }
  return device.number === FUSE_DEVICE
    ? yes(`/dev/fuse is device ${FUSE_DEVICE}`)
    : no(
        `/dev/fuse is ${device.number}, not device ${FUSE_DEVICE}`,
        'Replace the device: rm /dev/fuse; mknod -m 666 /dev/fuse c 10 229.'
      )
}
