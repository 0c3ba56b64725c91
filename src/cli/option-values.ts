import { type Environment, environmentName } from './environment.ts'
import { OPTIONS, type Options } from './options/all.ts'
import type { Option, OptionTable } from './options/option.ts'

/** A value, or why the text is not one. */
type Result = { readonly value: unknown } | { readonly problem: string }

/**
 * The value of every option: from the argument, else from its `BERTH_…` variable, else from the variable that other programs know too,
 * else the default.
 */
export function optionValues(
  given: ReadonlyMap<string, string>,
  environment: Environment
): { readonly options: Options; readonly problems: readonly string[] } {
  const results = Object.entries(OPTIONS as OptionTable).map(
    ([name, option]) => [name, resultOf(name, option, given, environment)] as const
  )
  const values = results.map(([name, result]) => [name, 'value' in result ? result.value : undefined] as const)
  return {
    // If there are problems, only the checks of valid values read these options.
    options: Object.freeze(Object.fromEntries(values)) as unknown as Options,
    problems: results.flatMap(([, result]) => ('problem' in result ? [result.problem] : []))
  }
}

function resultOf(
  name: string,
  { parse, fallback, environment: shared }: Option<unknown>,
  given: ReadonlyMap<string, string>,
  environment: Environment
): Result {
  const variable = environmentName(name)
  const sources: readonly (readonly [string, string | undefined])[] = [
    [`--${name}`, given.get(name)],
    [variable, environment[variable]],
    ...(shared === undefined ? [] : [[shared, environment[shared]] as const])
  ]
  const [source, text] = sources.find(([, value]) => value !== undefined) ?? ['the default', fallback]
  try {
    return { value: parse(text ?? fallback) }
  } catch (error) {
    return { problem: `${source} is "${text}": ${(error as Error).message}` }
  }
}
