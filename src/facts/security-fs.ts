import type { HostReader } from '../host/host.ts'
import { Unsure } from './fact.ts'

export async function requireSecurityFs(host: HostReader): Promise<void> {
  const names = await host.list('/sys/kernel/security')
  if (names === undefined || names.length === 0) {
    throw new Unsure('/sys/kernel/security is empty: securityfs is not mounted below the host root')
  }
}
