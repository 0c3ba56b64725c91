import process from 'node:process'
import { execa } from 'execa'
import { expect, test } from 'vitest'

// In a network of its own, since a machine, or the container that it is, may be without IPv6.
test('the server can listen on an IPv6 address', async () => {
  const program = `
    import { startHttp } from ${JSON.stringify(new URL('../../../src/web/server.ts', import.meta.url).href)}
    const { address, close } = await startHttp({
      listen: '[::1]:0',
      sources: { metrics: {}, health: () => ({ ok: true, because: 'it is asked by IPv6' }), failed: console.error }
    })
    const { status } = await fetch('http://' + address + '/healthz')
    await close()
    console.log(status, address)`
  const network = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'] as const
  const [unshare, ...more] = [...network, process.execPath, '--input-type=module', '-e', program] as const
  expect((await execa(unshare, more)).stdout).toMatch(/^200 \[::1\]:\d+$/)
})
