/**
 * Reduces Docker's daemon.json to a valid daemon.json with the names of its runtimes only: the rest may hold proxy passwords and registry
 * names. A file that is not a JSON object becomes another text that is not JSON.
 */
export function dockerRuntimesOnly(text: string): string {
  if (text.trim() === '') return text
  const config = parsed(text)
  if (!isObject(config)) return 'not the JSON of an object\n'
  const [runtimes, name] = [config['runtimes'] ?? undefined, config['default-runtime'] ?? undefined]
  return `${JSON.stringify({
    ...(runtimes === undefined ? {} : { runtimes: isObject(runtimes) ? namesOnly(runtimes) : false }),
    ...(name === undefined ? {} : { 'default-runtime': typeof name === 'string' ? name : false })
  })}\n`
}

const namesOnly = (value: object): object => Object.fromEntries(Object.keys(value).map(name => [name, {}]))

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
