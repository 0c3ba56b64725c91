import type { Config } from '../cli/config.ts'
import type { Snapshot } from '../cycle/snapshot.ts'
import { attempt } from '../facts/attempt.ts'
import { readUptime } from '../facts/proof-binding.ts'
import { untried } from '../facts/proofs.ts'
import { localWriter } from '../host/local-writer.ts'
import { VERSION } from '../version.ts'
import { type Handover, handoverText } from './handover.ts'
import type { Work } from './work.ts'

/** The result of one turn of the helper. */
export interface Findings {
  readonly outcomes: Handover['outcomes']
  readonly snapshot: Snapshot
}

/** The handover is written at least this often (milliseconds), since the agent does not use old readings. */
const AN_HOUR = 3_600_000

/** Returns a function that writes the handover if it has changed. A failure (a full or missing volume) is logged and tried again next turn. */
export function createHandOver({ host, log, made, elapsed }: Work, config: Config): (findings: Findings) => Promise<void> {
  const { handover: path, 'node-name': node } = config.options
  let written = { text: '', at: 0 }
  return async ({ outcomes, snapshot }) => {
    const body = { ...({ schema: 1, version: VERSION, node } as const), ...foundOf(snapshot), made: made() ?? null, outcomes }
    const text = JSON.stringify(body)
    const now = elapsed()
    if (text === written.text && now - written.at < AN_HOUR) return
    try {
      const uptime = await attempt(() => readUptime(host))
      const handover = { ...body, at: snapshot.at, uptime: uptime.ok ? uptime.value : null }
      await localWriter('/').write(path, handoverText(handover), 0o644)
      written = { text, at: now }
    } catch (error) {
      log.event('write-failed', `the handover could not be written: ${(error as Error).message}`, { key: path })
    }
  }
}

function foundOf({ facts }: Snapshot): Pick<Handover, 'boot' | 'release' | 'proofs' | 'readings'> {
  const { 'boot-id': boot, 'apparmor-userns': userns, kernel, proofs, apparmor, sysbox } = facts
  const profiles = apparmor.known && apparmor.value.profiles.ok ? apparmor.value.profiles.value : undefined
  return {
    boot: boot.known ? boot.value : '',
    release: kernel.known ? kernel.value.release : '',
    proofs: proofs.known ? proofs.value : untried(proofs.why),
    readings: {
      apparmorUserns: userns.known ? userns.value : undefined,
      profiles: profiles && Object.fromEntries(profiles),
      sysboxVersion: versionOf(sysbox)
    }
  }
}

const versionOf = (fact: Snapshot['facts']['sysbox']): string | undefined =>
  fact.known && fact.value.version.ok && fact.value.version.value !== '' ? fact.value.version.value : undefined
