import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { requireMounted } from './numbers.ts'

const SIGNATURE = '/proc/version_signature'

/**
 * The upstream version that an Ubuntu kernel is made from, `5.15.78`; its own release says nothing of it, and cloud flavours count theirs
 * differently. Empty where no such file is there, that is on any other kernel.
 */
export const detectUpstream: Detector<string> = async ({ host }) => {
  const text = await host.read(SIGNATURE)
  if (text === undefined) {
    await requireMounted(host, 'proc')
    return ''
  }
  const upstream = parseSignature(text)
  if (upstream === undefined) throw new Unsure(`${SIGNATURE} holds ${JSON.stringify(text.slice(0, 60))}, which names no version`)
  return upstream
}

/** `Ubuntu 5.15.0-1028.33-gke 5.15.78` */
export const parseSignature = (text: string): string | undefined => /^Ubuntu \S+ (\d{1,3}\.\d{1,3}\.\d{1,4})\n$/.exec(text)?.[1]

export const upstreamKernelFact = defineFact({
  name: 'upstream-kernel',
  describes: 'the upstream version that an Ubuntu kernel is made from',
  detect: detectUpstream,
  format: version => version || 'not told by this kernel'
})
