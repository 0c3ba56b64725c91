import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { requireMounted } from './numbers.ts'

const SIGNATURE = '/proc/version_signature'

/**
 * The upstream version of an Ubuntu kernel, `5.15.78`. The kernel's release does not contain it. Only Ubuntu's kernels have this file; for
 * other kernels the version is empty.
 */
export const detectUpstream: Detector<string> = async ({ host }) => {
  const text = await host.read(SIGNATURE)
  if (text === undefined) {
    await requireMounted(host, 'proc')
    return ''
  }
  const upstream = parseSignature(text)
  if (upstream === undefined)
    throw new Unsure(`${SIGNATURE} holds ${JSON.stringify(text.slice(0, 60))}, expected "Ubuntu RELEASE VERSION"`)
  return upstream
}

/** `Ubuntu 5.15.0-1028.33-gke 5.15.78` */
export const parseSignature = (text: string): string | undefined => /^Ubuntu \S+ (\d{1,3}\.\d{1,3}\.\d{1,4})\n$/.exec(text)?.[1]

export const upstreamKernelFact = defineFact({
  name: 'upstream-kernel',
  describes: 'upstream version of an Ubuntu kernel',
  detect: detectUpstream,
  format: version => version || 'not an Ubuntu kernel'
})
