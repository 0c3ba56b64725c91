import { devices } from './commands/devices.ts'
import { runProgram } from './program.ts'

/** The program of the device plugin's container. `berth.mjs devices` imports it: with all of gRPC in it the agent would be larger. */
export { devices }

if (import.meta.main) await runProgram({ devices: async () => devices })
