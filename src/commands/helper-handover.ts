import { type Handover, HandoverError, parseHandover } from '../cycle/handover.ts'
import { detectBootId, readKernel } from '../facts/kernel.ts'
import { untried } from '../facts/proofs.ts'
import { readHandover } from '../host/handover.ts'
import { HostError, type HostReader } from '../host/host.ts'
import type { Diary } from './diary.ts'

interface Terms {
  /** Where the helper leaves them, in our own view. */
  readonly path: string
  readonly node: string
  readonly host: HostReader
  readonly diary: Pick<Diary, 'doubted'>
}

/**
 * What the privileged helper of this node found and did, where there is one and it is believed; what is not believed is told, also in
 * place of the proofs, and nothing rests on it.
 */
export async function helperHandover({
  path,
  node,
  host,
  diary
}: Terms): Promise<Partial<Pick<Handover, 'proofs' | 'outcomes'>>> {
  try {
    const text = await readHandover(path)
    if (text === undefined) return {}
    const sources = { host, node: undefined, podSecurity: undefined }
    const [boot, { release }] = await Promise.all([detectBootId(sources), readKernel(host)])
    const { proofs, outcomes } = parseHandover(text, { node, boot, release })
    return { proofs, outcomes }
  } catch (error) {
    if (!(error instanceof HandoverError || error instanceof HostError || (error as Error).name === 'Unsure')) throw error
    const { message } = error as Error
    diary.doubted(message)
    return { proofs: untried(message) }
  }
}
