import process from 'node:process'
import { READER, serveReader } from './host/reader-process.ts'
import { type Loaders, runProgram } from './program.ts'

const LOADERS: Required<Loaders> = {
  report: async () => (await import('./commands/report.ts')).report,
  explain: async () => (await import('./commands/explain.ts')).explain,
  record: async () => (await import('./commands/record.ts')).record,
  template: async () => (await import('./commands/template.ts')).template,
  run: async () => (await import('./commands/run.ts')).run,
  helper: async () => (await import('./commands/helper.ts')).helper,
  devices: async () => (await import('./commands/devices.ts')).devices,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  fleet: async () => (await import('./commands/fleet.ts')).fleet,
  uninstall: async () => (await import('./commands/uninstall.ts')).uninstall
}

if (process.argv[2] === READER && process.send !== undefined) {
  serveReader(process.argv[3] ?? '/', () => process.exit())
  await new Promise(() => undefined)
}

await runProgram(LOADERS)
