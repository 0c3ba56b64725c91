import { OPTIONS } from './options/all.ts'
import { suggest } from './suggest.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** `--host-root` is also read from `BERTH_HOST_ROOT`. */
export const environmentName = (option: string): string => `BERTH_${option.toUpperCase().replaceAll('-', '_')}`

/** The kubelet sets these variables in every pod of a namespace that has a Service whose name begins with berth. */
const SERVICE_LINK = /^BERTH_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** A misspelt variable is an error. If it were ignored, the option would keep its default unnoticed. */
export function unknownVariables(environment: Environment): readonly string[] {
  const names = Object.keys(OPTIONS).map(environmentName)
  return Object.keys(environment)
    .filter(name => name.startsWith('BERTH_') && !names.includes(name) && !SERVICE_LINK.test(name))
    .map(name => {
      const meant = suggest(name, names)
      return `unknown environment variable ${name}: ${meant === undefined ? 'berth has no option of this name' : `did you mean ${meant}?`}`
    })
}
