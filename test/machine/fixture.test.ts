import { once } from 'node:events'
import { access, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { describe, test } from 'vitest'
import { bootMachine } from './machine.ts'

const alive = (pid: number): Promise<boolean> =>
  access(`/proc/${pid}`).then(
    () => true,
    () => false
  )

const folders = async (pid: number): Promise<readonly string[]> =>
  (await readdir(tmpdir())).filter(name => name.startsWith(`berth-machine-${pid}-`))

describe.concurrent('the fixture of machines', () => {
  test('tells status, outputs and files as they are, several commands at a time, and the last words of a machine that dies', async ({
    expect
  }) => {
    await using machine = await bootMachine({
      kernel: '6.1',
      files: [{ path: 'opt/given/file', data: 'given', executable: true }]
    })
    const slow = machine.run('sleep 2; echo slow')
    const quick = await machine.run(['sh', '-c', 'echo "$1"; echo wrong >&2; exit 3', 'sh', "it's"])
    expect(quick).toEqual({ status: 3, stdout: "it's\n", stderr: 'wrong\n' })
    expect(await slow).toEqual({ status: 0, stdout: 'slow\n', stderr: '' })
    await machine.write('/a folder/ünï', 'line\nlast')
    expect(await machine.read('/a folder/ünï')).toBe('line\nlast')
    expect(await machine.must('stat -c %a /opt/given/file; cat /opt/given/file')).toBe('755\ngiven')
    expect((await machine.must('head -c 3000000 /dev/zero | tr "\\0" x')).length).toBe(3_000_000)
    expect(await machine.run('sleep 60 & sleep 61', { timeout: 500 })).toEqual({ status: 137, stdout: '', stderr: 'Killed\n' })
    expect(await machine.must('pgrep -c sleep || true')).toBe('0')
    await expect(machine.must('echo why >&2; false')).rejects.toThrow('why')
    await expect(machine.run('echo c >/proc/sysrq-trigger')).rejects.toThrow('Kernel panic - not syncing: sysrq triggered crash')
    await expect(machine.run('true')).rejects.toThrow('the machine has stopped')
    await machine.kill()
    expect(await alive(machine.pid)).toBe(false)
    await expect(machine.console()).rejects.toThrow('ENOENT')
  })

  test('ends with its owner, even one that is killed', async ({ expect }) => {
    const script = `
      import { bootMachine } from ${JSON.stringify(join(import.meta.dirname, 'machine.ts'))}
      const machine = await bootMachine({ kernel: '5.10' })
      process.send(machine.pid)
      setInterval(() => undefined, 1000)`
    const owner = execa(process.execPath, ['--input-type=module', '-e', script], { ipc: true, reject: false, buffer: false })
    const [pid] = (await once(owner.nodeChildProcess ?? owner, 'message')) as [number]
    expect(await alive(pid)).toBe(true)
    owner.kill('SIGKILL')
    await owner
    for (let tries = 40; tries > 0 && (await alive(pid)); tries--) await sleep(50)
    expect(await alive(pid)).toBe(false)
    const left = await folders(owner.pid ?? 0)
    expect(left).toHaveLength(1) // which the next owner of a folder would remove once it is old
    for (const name of left) await rm(join(tmpdir(), name), { recursive: true })
  })
})
