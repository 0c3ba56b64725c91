import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const BIN = `${ROOT}/node_modules/.bin`

/** Types, then lint and format. */
export const CHECKS = [
  ['types', `${BIN}/tsc`, '-p', '.'],
  ['lint and format', `${BIN}/biome`, 'ci', '--colors=off', '.']
] as const

/** Runs a step with its output going straight to the person. Returns whether it went well. */
export async function step(name: string, file: string, ...args: readonly string[]): Promise<boolean> {
  process.stdout.write(`== ${name}\n`)
  const { failed } = await execa(file, args, { cwd: ROOT, stdio: 'inherit', reject: false })
  return !failed
}
