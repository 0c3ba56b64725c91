import { KIND_NAMES, type KindName } from '../../devices/kinds.ts'
import { type OptionTable, option } from './option.ts'
import { expected, matching, oneOf, parseList } from './parsers.ts'

/** More slots than a kubelet reports for any node; each is a message of some 20 bytes. */
const MOST_SLOTS = 10_000

/** The device plugin. */
export const DEVICE_OPTIONS = {
  offer: option({
    form: 'LIST',
    fallback: 'fuse',
    commands: ['devices'],
    does: `devices of the node that pods may request as berth.dev/NAME: ${KIND_NAMES.join(', ')}`,
    parse: text => {
      const names = [...new Set(parseList(text).map(oneOf<KindName>(...KIND_NAMES)))]
      return names.length > 0 ? names : expected(`one or more of ${KIND_NAMES.join(', ')}`)
    }
  }),
  'fuse-slots': option({
    form: 'N',
    fallback: '256',
    commands: ['devices'],
    does: 'how many containers can have /dev/fuse at the same time (berth.dev/kvm and berth.dev/tun: always 256)',
    parse: text =>
      /^[1-9]\d*$/.test(text) && Number(text) <= MOST_SLOTS ? Number(text) : expected(`a whole number from 1 to ${MOST_SLOTS}`)
  }),
  'plugin-directory': option({
    form: 'DIR',
    fallback: '/var/lib/kubelet/device-plugins',
    commands: ['devices'],
    does: 'directory of kubelet.sock; it is the same on every node, whatever --root-dir of the kubelet is',
    parse: matching(/^(\/[^/\0]+)+$/, 'an absolute path without a slash at the end')
  })
} as const satisfies OptionTable
