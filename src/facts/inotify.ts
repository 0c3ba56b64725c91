import { type Detector, defineFact } from './define-fact.ts'
import { Unsure } from './fact.ts'
import { readCount } from './numbers.ts'

export interface InotifyLimits {
  /** fs.inotify.max_user_watches and fs.inotify.max_user_instances, per uid on the whole node. */
  readonly watches: number
  readonly instances: number
}

/** inotify(7): systemd and language servers in a workspace need many. No verdict depends on them. */
export const detectInotify: Detector<InotifyLimits> = async ({ host }) => {
  const [watches, instances] = await Promise.all([
    readCount(host, '/proc/sys/fs/inotify/max_user_watches'),
    readCount(host, '/proc/sys/fs/inotify/max_user_instances')
  ])
  if (watches === undefined || instances === undefined)
    throw new Unsure('/proc/sys/fs/inotify has no max_user_watches or no max_user_instances')
  return { watches, instances }
}

export const inotifyFact = defineFact({
  name: 'inotify',
  describes: '`fs.inotify.max_user_watches` and `fs.inotify.max_user_instances`',
  detect: detectInotify,
  format: ({ watches, instances }) => `${watches} watches, ${instances} instances`,
  isInformational: true
})
