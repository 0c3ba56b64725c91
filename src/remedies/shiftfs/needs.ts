import { attempt } from '../../facts/attempt.ts'
import { readKernel } from '../../facts/kernel.ts'
import { isInstalled } from '../../host/execute.ts'
import type { HostReader } from '../../host/host.ts'
import { whyNoScratch } from './scratch.ts'
import { findSource } from './source.ts'

const PROGRAMS = ['gcc', 'make', 'setpriv', 'unshare'] as const

/** Why a build cannot begin, empty if it can: checks all needs except the node's headers, which are a fact. */
export async function whyNoBuild(
  host: HostReader,
  { source, scratch }: { readonly source: string; readonly scratch: string }
): Promise<string> {
  const kernel = await attempt(() => readKernel(host))
  if (!kernel.ok) return kernel.why
  const found = await findSource(source, kernel.value).catch((error: Error) => error)
  if (found instanceof Error) return found.message
  const installed = await Promise.all(PROGRAMS.map(isInstalled))
  const missing = PROGRAMS.filter((_, index) => !installed[index])
  if (missing.length > 0)
    return `a build needs ${missing.join(' and ')}, not installed where the helper runs; use the helper's own image`
  return await whyNoScratch(scratch)
}
