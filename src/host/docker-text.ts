/**
 * Of Docker's daemon.json only the names of runtimes, as a daemon.json that says the same of them: the rest may hold passwords of proxies
 * and names of registries. What is no such file becomes a text that is none either.
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
