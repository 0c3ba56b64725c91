import type { Answer } from './channel.ts'
import type { Machine } from './machine.ts'

/** Runs a script in a machine as root of a child user namespace (0 is 165536 outside, 65536 ids) with mounts of its own. */
export function runInUserNamespace({ run }: Pick<Machine, 'run'>, script: string): Promise<Answer> {
  return run(`
    script=$(mktemp)
    cat >"$script" <<'END-OF-SCRIPT'
${script}
END-OF-SCRIPT
    unshare --user --mount sleep infinity & child=$!
    until [ "$(readlink /proc/$child/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]; do sleep 0.02; done
    echo 0 165536 65536 >/proc/$child/uid_map
    echo 0 165536 65536 >/proc/$child/gid_map
    nsenter --target $child --user --mount --setuid 0 --setgid 0 sh <"$script"
    status=$?
    kill $child
    rm "$script"
    exit $status`)
}
