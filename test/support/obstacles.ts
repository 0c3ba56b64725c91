import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { execa } from 'execa'
import { installLine, missingPackages } from './debian.ts'
import { GO_PROGRAMS } from './go-programs.ts'

/** What a person has to change before `npm test` can run here, each with what to do. Empty where it can. */
export async function obstacles(): Promise<readonly string[]> {
  return [...(await obstaclesOfGo()), ...(await obstaclesOfUser())]
}

async function obstaclesOfGo(): Promise<readonly string[]> {
  const goMod = await readFile(join(GO_PROGRAMS.kubernetes.folder, 'go.mod'), 'utf8')
  const [, needed = ''] = /^go (\S+)$/m.exec(goMod) ?? []
  const { stdout, failed } = await execa('go', ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' }, reject: false })
  if (failed) return [`Go is not on the PATH: install Go ${needed} or newer (https://go.dev/dl).`]
  const found = stdout.replace('go', '')
  return isAtLeast(found, needed) ? [] : [`Go is ${found}: expected ${needed} or newer (https://go.dev/dl).`]
}

/** Compares versions as Go prints them, `1.26.7`; a suffix such as `rc1` does not count. */
export function isAtLeast(found: string, needed: string): boolean {
  const [a, b] = [found, needed].map(text => text.split('.').map(part => Number.parseInt(part, 10) || 0)) as [number[], number[]]
  const index = b.findIndex((part, index) => part !== (a[index] ?? 0))
  return index < 0 || (a[index] ?? 0) > (b[index] ?? 0)
}

async function obstaclesOfUser(): Promise<readonly string[]> {
  if (process.getuid?.() === 0) return []
  const missing = await missingPackages()
  const line = missing.length === 0 ? [] : [`Programs are missing. As root, run: ${installLine(missing)}`]
  return [...line, 'You are not root, which the real node and the disks of the virtual machines need: run it as root.']
}
