import process from 'node:process'

/** As process 1 of a container, Node ends by no signal that it does not handle. */
export function stoppedBySignals(tell: (signal: string) => void): AbortController {
  const controller = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      tell(name)
      controller.abort()
    })
  }
  return controller
}
