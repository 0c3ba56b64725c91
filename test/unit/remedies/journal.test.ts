import { expect, test } from 'vitest'
import { HostError } from '../../../src/host/host.ts'
import { JOURNAL, readJournal } from '../../../src/remedies/journal.ts'
import { temporary } from '../host/temporary.ts'
import { kernelHost } from './kernel-host.ts'

const read = (text: string) => readJournal(kernelHost(temporary({ [JOURNAL.slice(1)]: text })))

const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`

test.each([
  ['cut short', '{"schema":1', 'the file is not JSON, or it was cut short'],
  ['a list', '[1]', 'the file is [1]; expected an object'],
  ['nothing', 'null', 'the file is null; expected an object'],
  ['of another schema', '{"schema":2}', 'schema is 2; expected 1'],
  ['with a limit in words', '{"schema":1,"sysctls":{"a.b":{"from":"x"}}}', 'sysctls.a.b.from is "x"; expected a whole number'],
  [
    'with a way that there is not',
    '{"schema":1,"sysctls":{"a.b":{"from":0,"to":1,"way":"x"}}}',
    'sysctls.a.b.way is "x"; expected bottlerocket or sysctl'
  ],
  ['with files that are a word', '{"schema":1,"shiftfs":{"boot":"b","files":"/x"}}', 'shiftfs.files is "/x"; expected a list'],
  ['with a file that is a number', '{"schema":1,"shiftfs":{"boot":"b","files":[7]}}', 'shiftfs.files[0] is 7; expected a text'],
  ['with builds without a time', '{"schema":1,"builds":{"k":{"failures":1}}}', 'builds.k.lastAt is missing; expected a text'],
  ['of nested lists', nested, 'the file is [[[["…"]]]]; expected an object'],
  ['with nested lists in it', `{"schema":1,"broken":${nested}}`, 'broken is [[[["…"]]]]; expected an object']
])('a journal that is %s is refused with the place and the reason', async (_, text, why) => {
  const error = await read(text).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(HostError)
  expect((error as Error).message).toContain(why)
})

test('unknown keys of a newer berth are kept', async () => {
  const journal = { schema: 1, shiftfs: { boot: 'b', files: [], newer: true }, newer: { is: 'kept' } }
  expect(await read(JSON.stringify(journal))).toEqual(journal)
})
