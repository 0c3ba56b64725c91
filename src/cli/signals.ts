import process from 'node:process'

/** Aborts at SIGTERM or SIGINT. Without handlers, process 1 of a container ignores both signals. */
export function stoppedBySignals(onSignal: (signal: string) => void): AbortController {
  const controller = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      onSignal(name)
      controller.abort()
    })
  }
  return controller
}
