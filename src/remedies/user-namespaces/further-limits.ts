/** Other limits that workspaces need on Bottlerocket. Coder's engineers raised the same ones there. */
export const FURTHER_LIMITS = {
  'user.max_mnt_namespaces': 20_000,
  'user.max_pid_namespaces': 20_000,
  'fs.inotify.max_user_watches': 1_048_576,
  'fs.inotify.max_user_instances': 8_192
} as const
