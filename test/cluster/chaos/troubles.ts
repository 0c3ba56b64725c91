import { setTimeout as sleep } from 'node:timers/promises'
import { OS_RELEASE } from '../../support/cluster/agent-process.ts'
import { refuse } from '../fake-api.ts'
import type { Chance } from './chance.ts'
import type { Stage } from './stage.ts'

/** Makes one kind of trouble and ends it; resolves to what is wrong with how an agent took it, or to nothing. */
type Trouble = (stage: Stage, chance: Chance) => Promise<string | undefined>

const some = (chance: Chance, least: number, most: number): Promise<void> => sleep(chance.between(least, most))

const answered =
  (code: number, reason: string, what: 'watches' | 'all'): Trouble =>
  async ({ moody }, chance) => {
    moody.be(refuse(code, reason, code === 429 ? { 'retry-after': '1' } : {}), what)
    await some(chance, 2_000, 5_000)
    moody.be(undefined, what)
    return undefined
  }

const slowed =
  (how: 'late' | 'dripping'): Trouble =>
  async ({ slow }, chance) => {
    slow.be(how)
    await some(chance, 2_000, 5_000)
    slow.be('quick')
    return undefined
  }

const ended =
  (signal: 'SIGKILL' | 'SIGTERM'): Trouble =>
  async ({ restarted }, chance) => {
    const status = await restarted.agent.kill(signal)
    await some(chance, 0, 1_000)
    restarted.agent = await restarted.start()
    await some(chance, 1_000, 3_000)
    return signal === 'SIGTERM' && status !== 0 ? `the agent that was asked to end ended with ${status}` : undefined
  }

const HOUR = 3_600_000
/** No verdict rests on which one it is. */
const VERSIONS = ['22.04', '22.10', '23.04']

export const TROUBLES: Readonly<Record<string, Trouble>> = {
  'connections are reset': async ({ slow, moody }, chance) => {
    for (let round = 0; round < 6; round += 1) {
      slow.reset()
      moody.cut()
      await some(chance, 100, 900)
    }
    return undefined
  },
  'too many requests': answered(429, 'TooManyRequests', 'all'),
  'errors of the server': answered(500, 'InternalError', 'all'),
  'watches are refused': answered(410, 'Expired', 'watches'),
  'bytes come late': slowed('late'),
  'bytes come one at a time': slowed('dripping'),
  'the clock jumps': async ({ inside: { run } }, chance) => {
    const date = chance.oneOf([-48, -1, 1, 24]) * HOUR
    run.jump({ date, elapsed: chance.oneOf([0, HOUR]) })
    await some(chance, 1_000, 3_000)
    run.jump({ date: -date })
    return undefined
  },
  'etcd and the API server are killed': async ({ cluster }, chance) => {
    await cluster.crash()
    await some(chance, 0, 3_000)
    await cluster.start()
    return undefined
  },
  'etcd and the API server are restarted in order': async ({ cluster }) => {
    await cluster.stop()
    await cluster.start()
    return undefined
  },
  'etcd and the API server are frozen': async ({ cluster }, chance) => {
    cluster.freeze()
    await some(chance, 1_000, 5_000)
    cluster.thaw()
    return undefined
  },
  'an agent is killed': ended('SIGKILL'),
  'an agent is ended in good order': ended('SIGTERM'),
  'a node has another version of its distribution': async ({ lasting, restarted, inside }, chance) => {
    const home = chance.oneOf([...lasting, restarted, inside])
    const version = chance.oneOf(VERSIONS)
    home.root.write(OS_RELEASE, `ID=ubuntu\nVERSION_ID="${version}"\n`)
    home.right = { ...home.right, 'berth.dev/distro': `ubuntu-${version}` }
    await some(chance, 500, 2_000)
    return undefined
  }
}
