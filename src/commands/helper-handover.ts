import type { Config } from '../config.ts'
import { type Handover, HandoverError, parseHandover } from '../cycle/handover.ts'
import { attempt } from '../facts/attempt.ts'
import { detectBootId, readKernel } from '../facts/kernel.ts'
import { type Made, readBinding, readUptime, whyVoid } from '../facts/proof-binding.ts'
import { untried } from '../facts/proofs.ts'
import { readHandover } from '../host/handover.ts'
import { HostError, type HostReader } from '../host/host.ts'
import type { Diary } from './diary.ts'

interface Terms {
  readonly config: Config
  readonly host: HostReader
  readonly diary: Pick<Diary, 'doubted'>
}

/**
 * What the privileged helper of this node found and did, where there is one and it is believed; what is not believed is told, also in
 * place of the proofs, and nothing rests on it.
 */
export async function helperHandover({ config, host, diary }: Terms): Promise<Partial<Pick<Handover, 'proofs' | 'outcomes'>>> {
  try {
    const { handover: path, 'node-name': node } = config.options
    const text = await readHandover(path)
    if (text === undefined) return {}
    const sources = { host, node: undefined, podSecurity: undefined }
    const [boot, { release }] = await Promise.all([detectBootId(sources), readKernel(host)])
    const { made, proofs, outcomes } = parseHandover(text, { node, boot, release })
    const why = await whyNotBelieved(made, host, config.options['kubelet-root'])
    if (why === undefined) return { proofs, outcomes }
    diary.doubted(why)
    return { proofs: untried(why), outcomes }
  } catch (error) {
    if (!(error instanceof HandoverError || error instanceof HostError || (error as Error).name === 'Unsure')) throw error
    const { message } = error as Error
    diary.doubted(message)
    return { proofs: untried(message) }
  }
}

/** Why the proofs tell nothing of the node as it is now; `undefined` where they do. */
async function whyNotBelieved(made: Made | null, host: HostReader, kubeletRoot: string): Promise<string | undefined> {
  if (made === null) return "the helper's proofs are not believed: it could not tell what they were made with"
  const live = await attempt(async () => ({ ...(await readBinding(host, kubeletRoot)), uptime: await readUptime(host) }))
  const why = live.ok ? whyVoid(made, live.value) : live.why
  return why === undefined ? undefined : `the helper's proofs are not believed: ${why}`
}
