import { atLeast, type Kernel, type Version } from '../facts/kernel.ts'
import { type Judgement, no, unsure, yes } from './verdict.ts'

export const versionText = ([major, minor]: Version): string => `${major}.${minor}`

/** Sysbox 0.6.3 and newer need seccomp notification of API level 6, which needs kernel 5.7; Sysbox's documentation still says 5.4. */
export function judgeKernel(kernel: Kernel, minimum: Version | undefined): Judgement {
  const { release } = kernel
  if (minimum !== undefined) {
    return atLeast(kernel, minimum)
      ? yes(`kernel ${release} is at or above ${versionText(minimum)} (--minimum-kernel)`)
      : no(
          `kernel ${release} is below ${versionText(minimum)} (--minimum-kernel)`,
          `Use a node image with kernel ${versionText(minimum)} or newer.`
        )
  }
  if (!atLeast(kernel, [5, 4])) return no(`kernel ${release} is below 5.4`, 'Use a node image with kernel 5.7 or newer.')
  if (atLeast(kernel, [5, 7])) return yes(`kernel ${release} is at or above 5.7`)
  return unsure(
    `kernel ${release} is between 5.4 and 5.7: only Sysbox up to 0.6.2 (Envbox before June 2024) starts there`,
    'Use a node image with kernel 5.7 or newer, or set --minimum-kernel 5.4 if your workspaces run such an old Sysbox.'
  )
}
