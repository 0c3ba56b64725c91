import { PERMITS, type Permit } from '../../remedies/all.ts'
import { JUDGING } from '../commands.ts'
import { type OptionTable, option, switchOption } from './option.ts'
import { expected, oneOf, parseList } from './parsers.ts'

/** What the helper may change on the node. */
export const REMEDY_OPTIONS = {
  permit: option({
    form: 'LIST',
    fallback: '',
    commands: JUDGING,
    does: `remedies that the helper may apply; the other commands show what it would do with them: ${PERMITS.join(', ')}`,
    parse: text => parseList(text).map(oneOf<Permit>(...PERMITS))
  }),
  'max-user-namespaces': option({
    form: 'N',
    fallback: '65536',
    commands: JUDGING,
    does: 'limit that the remedy user-namespaces sets (user.max_user_namespaces)',
    parse: text =>
      /^[1-9]\d{0,9}$/.test(text) && Number(text) <= 2147483647 ? Number(text) : expected('a whole number from 1 to 2147483647')
  }),
  'shiftfs-source': option({
    form: 'DIR',
    fallback: '',
    commands: ['helper'],
    does: 'sources of shiftfs, one folder per range of kernels (k5.4, k5.10, k5.11, k5.13, k5.16, k5.17, k5.18, k6.1)',
    parse: text => text
  }),
  persist: switchOption({ commands: ['helper'], does: 'load a shiftfs module that was built here at the next boot too' }),
  undo: switchOption({ commands: ['helper'], does: 'undo what the helper changed on this node, then exit' })
} as const satisfies OptionTable
