import type { HostWriter } from '../host/writer.ts'

/** The live boot id, empty where it cannot be read. */
export const bootOf = async (host: HostWriter): Promise<string> =>
  (await host.read('/proc/sys/kernel/random/boot_id'))?.trim() ?? ''
