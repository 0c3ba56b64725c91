import { type AppArmor, FUSERMOUNT3 } from '../facts/apparmor.ts'
import type { NodeFacts } from '../facts/observe.ts'
import { ask, type Judgement, no, unsure, type Verdict, yes } from './verdict.ts'

/** An AppArmor profile attaches by the path of the program, so it also applies in a privileged container. */
export const judgeFusermount = (facts: NodeFacts): Verdict => ask(facts, 'AppArmor', 'apparmor', judgeProfile)

const ALLOW_MOUNTS =
  "Allow Sysbox's mounts in /etc/apparmor.d/local/fusermount3 (mount fstype=@{fuse_types} options=(nosuid,nodev,rw) -> /var/lib/sysboxfs/**/, and the same with ro; umount /var/lib/sysboxfs/**/,) and reload the profile, or set it to complain mode (aa-complain fusermount3)."

function judgeProfile(apparmor: AppArmor): Judgement {
  const { enabled, profiles, fusermount3: file } = apparmor
  if (!profiles.ok) return enabled.ok && !enabled.value ? yes('AppArmor is not enabled') : judgeFile(apparmor, profiles.why)
  const enforced = FUSERMOUNT3.find(name => profiles.value.get(name) === 'enforce')
  if (enforced === undefined) return yes('AppArmor enforces no profile for fusermount3')
  const sentence = `AppArmor enforces the profile ${enforced}`
  if (!file.ok) return unsure(`${sentence}, and it is unknown whether it allows Sysbox's mounts: ${file.why}`, ALLOW_MOUNTS)
  return file.value.allowsSysbox ? yes(sentence, ALLOWED) : no(`${sentence}, which blocks Sysbox's FUSE mounts`, ALLOW_MOUNTS)
}

/** The profile files show what was loaded at boot, which is usually still loaded. */
function judgeFile({ fusermount3: file }: AppArmor, why: string): Judgement {
  if (!file.ok)
    return unsure(
      `${why}; ${file.why}; the node may have loaded a profile for fusermount3`,
      'Run the privileged helper (manifests/components/helper), which reads the list of AppArmor profiles.'
    )
  const { state, allowsSysbox } = file.value
  if (state === 'absent') return yes('the node has no AppArmor profile for fusermount3')
  if (state === 'disabled') return yes('the AppArmor profile for fusermount3 is disabled')
  if (state === 'complain') return yes('the AppArmor profile for fusermount3 is in complain mode')
  const sentence = 'the node has an AppArmor profile for fusermount3 that is enforced'
  return allowsSysbox ? yes(sentence, ALLOWED) : no(`${sentence}, which blocks Sysbox's FUSE mounts`, ALLOW_MOUNTS)
}

const ALLOWED =
  "AppArmor enforces a profile for fusermount3; its files allow Sysbox's mounts below /var/lib/sysboxfs, but an older profile may still be loaded"
