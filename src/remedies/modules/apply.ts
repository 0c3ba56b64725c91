import type { HostWriter } from '../../host/writer.ts'
import { bootOf } from '../boot.ts'
import { type Deed, deed, failed, together } from '../deed.ts'
import type { Action } from '../define-remedy.ts'
import { readJournal, writeJournal } from '../journal.ts'
import { lastLine } from '../program-text.ts'
import { missingModules, type NeededModule } from './plan.ts'

/** A load takes less than a second (milliseconds). */
const PATIENCE = 30_000

/** Loads what is missing, until the next boot. */
export const modules: Action = {
  apply: async (host, facts) => {
    const deeds: Deed[] = []
    for (const name of missingModules(facts)) deeds.push(await load(host, name))
    return together(deeds)
  },
  undo: async host => {
    const { modules: ours } = await readJournal(host)
    if (ours === undefined) return deed('nothing to undo: we loaded no module here')
    // After a reboot nothing of ours is loaded.
    const names = ours.boot === (await bootOf(host)) ? ours.names : []
    const deeds: Deed[] = []
    for (const name of names) deeds.push(await unload(host, name))
    const done = deeds.length === 0 ? deed('our modules are not loaded') : together(deeds)
    if (done.failure === undefined) await writeJournal(host, { modules: undefined })
    return done
  }
}

async function load(host: HostWriter, name: NeededModule): Promise<Deed> {
  const before = await namesOfBoot(host)
  // Written before the deed, so that a kill in the middle leaves a trace.
  await writeNames(host, [...before, name])
  // What somebody else loaded since we observed is not ours, and modprobe calls that a success unless it is asked.
  const { status, stderr } = await host.exec(['modprobe', '--first-time', '-d', host.inside('/'), name], { timeout: PATIENCE })
  if (status === 0) return deed(`loaded the module ${name}`)
  await writeNames(host, before)
  return failed(`loading ${name} failed: ${lastLine(stderr)}`, stderr)
}

async function unload(host: HostWriter, name: string): Promise<Deed> {
  if (!isLoaded(name, (await host.read('/proc/modules')) ?? '')) return deed(`${name} is not loaded`)
  const { status, stderr } = await host.exec(['rmmod', name], { timeout: PATIENCE })
  if (status === 0) return deed(`unloaded ${name}`)
  return failed(`${name} stays loaded: ${lastLine(stderr)}; run --undo again when nothing uses it, or reboot the node`, stderr)
}

const isLoaded = (name: string, modules: string): boolean => modules.split('\n').some(line => line.startsWith(`${name} `))

async function namesOfBoot(host: HostWriter): Promise<readonly string[]> {
  const { modules: ours } = await readJournal(host)
  return ours !== undefined && ours.boot === (await bootOf(host)) ? ours.names : []
}

async function writeNames(host: HostWriter, names: readonly string[]): Promise<void> {
  const boot = await bootOf(host)
  await writeJournal(host, { modules: names.length === 0 ? undefined : { boot, names: [...new Set(names)] } })
}
