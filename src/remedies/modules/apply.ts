import type { HostWriter } from '../../host/writer.ts'
import { bootOf } from '../boot.ts'
import { type Deed, deed, together } from '../deed.ts'
import type { Action } from '../define-remedy.ts'
import { readJournal, writeJournal } from '../journal.ts'
import { isLoaded, loadModule, modprobe, unloadModule } from '../kernel-module.ts'
import { missingModules, type NeededModule } from './plan.ts'

/** Loads the missing modules. They stay until the next boot. */
export const modules: Action = {
  apply: async (host, facts) => {
    const deeds: Deed[] = []
    for (const name of missingModules(facts)) deeds.push(await load(host, name))
    return together(deeds)
  },
  undo: async host => {
    const { modules: ours } = await readJournal(host)
    if (ours === undefined) return deed('nothing to undo: berth loaded no module on this node')
    // After a reboot no module of ours is loaded.
    const names = ours.boot === (await bootOf(host)) ? ours.names : []
    const deeds: Deed[] = []
    for (const name of names) deeds.push(await unload(host, name))
    const done = deeds.length === 0 ? deed('no module that berth loaded is loaded now') : together(deeds)
    if (done.failure === undefined) await writeJournal(host, { modules: undefined })
    return done
  }
}

async function load(host: HostWriter, name: NeededModule): Promise<Deed> {
  const before = await namesOfBoot(host)
  const entry = {
    claim: () => writeNames(host, [...before, name]),
    settle: async (isOurs: boolean) => {
      if (!isOurs) await writeNames(host, before)
    }
  }
  const failure = await loadModule(host, name, { argv: modprobe(host, name), entry })
  return failure ?? deed(`loaded the module ${name}`)
}

const unload = async (host: HostWriter, name: string): Promise<Deed> =>
  (await isLoaded(host, name)) ? await unloadModule(host, name) : deed(`${name} is not loaded`)

async function namesOfBoot(host: HostWriter): Promise<readonly string[]> {
  const { modules: ours } = await readJournal(host)
  return ours !== undefined && ours.boot === (await bootOf(host)) ? ours.names : []
}

async function writeNames(host: HostWriter, names: readonly string[]): Promise<void> {
  const boot = await bootOf(host)
  await writeJournal(host, { modules: names.length === 0 ? undefined : { boot, names: [...new Set(names)] } })
}
