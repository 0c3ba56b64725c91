import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import type { ControlPlane } from '../test/support/cluster/control-plane.ts'

/**
 * A watch of an administrator's own: when it opened, and when it first told of what `sees` looks for. `seen` rejects if the watch ends
 * before that, after so many seconds.
 */
export function watchFor(
  plane: ControlPlane,
  name: string,
  sees: (event: string) => boolean,
  seconds = 60
): { readonly seen: Promise<number>; readonly opened: Promise<void> } {
  const opened = Promise.withResolvers<void>()
  const seen = Promise.withResolvers<number>()
  const path = `/api/v1/nodes?watch=1&fieldSelector=metadata.name%3D${name}&timeoutSeconds=${seconds}`
  const [cert, key] = ['admin.crt', 'admin.key'].map(file => readFileSync(join(plane.directory, file))) as [Buffer, Buffer]
  const asked = request(`${plane.url}${path}`, { ca: plane.ca, cert, key, agent: false }, answer => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => {
      text += chunk
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      opened.resolve()
      if (!lines.some(sees)) return
      seen.resolve(performance.now())
      asked.destroy()
    })
    answer.on('end', () => seen.reject(new Error(`the Node ${name} did not change as expected in ${seconds} s`)))
  })
  asked.on('error', error => seen.reject(error))
  asked.end()
  return { seen: seen.promise, opened: opened.promise }
}
