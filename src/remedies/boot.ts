import type { HostWriter } from '../host/writer.ts'

/** The current boot id; empty if the file does not exist. */
export const bootOf = async (host: HostWriter): Promise<string> =>
  (await host.read('/proc/sys/kernel/random/boot_id'))?.trim() ?? ''
