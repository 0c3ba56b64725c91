import { spawn } from 'node:child_process'
import { localHost } from '../../../src/host/local.ts'
import type { Ended, HostWriter } from '../../../src/host/writer.ts'

const refused = (): never => {
  throw new Error('a trial does not write by itself')
}

/** This machine, whose kubelet keeps its volumes in a directory of the test; `started` hears of every program. */
export function thisMachine(place: string, started: (pid: number) => void = () => undefined): HostWriter {
  const host = localHost('/')
  return {
    ...host,
    stat: path => host.stat(path === '/var/lib/kubelet' ? place : path),
    realpath: path => host.realpath(path === '/var/lib/kubelet' ? place : path),
    inside: path => path,
    write: refused,
    put: refused,
    copy: refused,
    remove: refused,
    exec: async ([program, ...args], { timeout }) =>
      await new Promise<Ended>(resolve => {
        const child = spawn(program, args, { detached: true, timeout, killSignal: 'SIGKILL' })
        const heard = { stdout: '', stderr: '' }
        if (child.pid !== undefined) started(child.pid)
        child.stdout.on('data', chunk => (heard.stdout += chunk))
        child.stderr.on('data', chunk => (heard.stderr += chunk))
        child.on('error', () => resolve({ status: 127, ...heard }))
        child.on('close', (code, signal) => resolve({ status: code ?? (signal === null ? 1 : 137), ...heard }))
      })
  }
}
