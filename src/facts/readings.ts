/** Values that only root can read, from the privileged helper; `undefined` if the helper could not read one. */
export interface Readings {
  /** `kernel.apparmor_restrict_unprivileged_userns`. */
  readonly apparmorUserns: AppArmorUserns | undefined
  /** The mode of each loaded AppArmor profile that a verdict depends on, by name. */
  readonly profiles: Readonly<Record<string, string>> | undefined
  /** The version in the output of `sysbox-runc --version` on the node, `0.7.1`. */
  readonly sysboxVersion: string | undefined
}

export const APPARMOR_USERNS = ['absent', 'off', 'on'] as const
export type AppArmorUserns = (typeof APPARMOR_USERNS)[number]
