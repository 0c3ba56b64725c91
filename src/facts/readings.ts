/** What only root can read, and the privileged helper has read; `undefined` for what it could not read either. */
export interface Readings {
  /** `kernel.apparmor_restrict_unprivileged_userns`. */
  readonly apparmorUserns: AppArmorUserns | undefined
  /** The loaded AppArmor profiles that matter here, with their mode, by name. */
  readonly profiles: Readonly<Record<string, string>> | undefined
  /** What the node's own `sysbox-runc --version` says, `0.7.1`. */
  readonly sysboxVersion: string | undefined
}

export const APPARMOR_USERNS = ['absent', 'off', 'on'] as const
export type AppArmorUserns = (typeof APPARMOR_USERNS)[number]
