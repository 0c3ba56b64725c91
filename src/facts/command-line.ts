import type { HostReader } from '../host/host.ts'
import { Unsure } from './fact.ts'

/** The kernel's command line. The kernel ends it with a newline, so a text without one is incomplete and may miss the word that decides. */
export async function readCommandLine(host: HostReader): Promise<string> {
  const path = '/proc/cmdline'
  const text = await host.read(path)
  if (text === undefined) throw new Unsure(`${path} is missing`)
  if (!/^(?:\t|\P{Cc})*\n$/u.test(text)) throw new Unsure(`${path} is not one line of text`)
  return text
}
