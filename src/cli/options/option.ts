import type { CommandName } from '../commands.ts'
import { parseSwitch } from './parsers.ts'

/** One option. Help, documents, environment variables and the type of the configuration are derived from it. */
export interface Option<T> {
  /** The value as help shows it: `FILE`, `table|json`. Empty for a switch, which takes no value. */
  readonly form: string
  /** The default, as text. Empty where there is none. */
  readonly fallback: string
  /** The commands that take this option. */
  readonly commands: readonly CommandName[]
  readonly does: string
  /** Listed by `berth --help`. The other options are listed by `berth COMMAND --help` only. */
  readonly common?: true
  /** A variable that other programs know too, as KUBECONFIG. It is read when neither the option nor its `BERTH_…` variable is set. */
  readonly environment?: string
  /** Throws `Error` with what was expected. */
  readonly parse: (text: string) => T
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>

export const option = <T>(definition: Option<T>): Option<T> => definition

/** An option without a value: on if it is given. */
export const switchOption = (definition: Pick<Option<boolean>, 'commands' | 'does'>): Option<boolean> => ({
  form: '',
  fallback: 'false',
  ...definition,
  parse: parseSwitch
})
