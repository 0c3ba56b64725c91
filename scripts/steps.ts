import process from 'node:process'
import { execa } from 'execa'
import { ROOT } from '../packaging/root.ts'

export { ROOT }

const MODULES = `${ROOT}/node_modules`
const BIN = `${MODULES}/.bin`

/** Types, lint and format of the sources; then spelling and style of the pages. */
export const CHECKS = [
  ['types', `${BIN}/tsc`, '-p', '.'],
  ['lint and format', `${BIN}/biome`, 'ci', '--colors=off', '.'],
  // These two need Node 22, and the Node of the person's PATH may be older: they run on the one that runs us.
  ['spelling', process.execPath, `${MODULES}/cspell/bin.mjs`, 'lint', '--no-progress', '--no-color', '--dot'],
  ['style of the pages', process.execPath, `${MODULES}/markdownlint-cli2/markdownlint-cli2-bin.mjs`]
] as const

/** Runs a step with its output going straight to the person. Returns whether it went well. */
export async function step(name: string, file: string, ...args: readonly string[]): Promise<boolean> {
  process.stdout.write(`== ${name}\n`)
  const { failed } = await execa(file, args, { cwd: ROOT, stdio: 'inherit', reject: false })
  return !failed
}
