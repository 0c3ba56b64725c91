/** The uid and gid outside to which the user namespace of a trial maps its root. */
export const SHIFTED = 165_536

/** The name of every scratch directory. Only directories with such a name are removed. */
export const SCRATCH_NAME = /^\.berth-trial-[A-Za-z0-9]{8}$/

/*
 * A trial prints lines: "saw KEY VALUE", and "end" after the last step. A step that fails prints one of these lines and ends the trial:
 * "untried STEP: TEXT" (nothing follows from it), "refused STEP: TEXT" (the kernel or a security module refused; the errno says which),
 * "failed STEP: TEXT" (the mount does not work as it should).
 */
const STEP = `
step() {
  kind=$1 what=$2; shift 2
  why=$("$@" 2>&1) || { echo "$kind $what:" $why; exit; }
}`

/** sh: $1 is the parent of the scratch directory, $2 the trial. The mounts end with the namespace, also after a kill. */
export const FRAME = `
export LC_ALL=C
dir=$(mktemp -d "$1/.berth-trial-XXXXXXXX" 2>&1) || { echo "untried making a scratch directory:" $dir; exit; }
# SWEEP does not remove a directory whose lock is held.
exec 9<"$dir" && flock --nonblock 9
unshare --mount --propagation private sh -c "$2" trial "$dir" 2>&1
rm -rf --one-file-system "$dir"`

/** sh: removes the given directories, except links and those that are in use or hold a mount. A killed trial may need a moment to end. */
export const SWEEP = `
for dir; do
  if [ -L "$dir" ] || [ ! -d "$dir" ] || grep -qF " $dir" /proc/self/mountinfo; then continue; fi
  (flock --timeout 2 9 && rm -rf --one-file-system "$dir") 9<"$dir"
done`

const START = `
set -f
${STEP}
step untried 'entering the scratch directory' cd "$1"
cd -P "$1"
echo "saw $(grep ^Seccomp: /proc/self/status)"`

/** sh: starts a process in a user namespace and a mount namespace of its own; it lives until this shell ends. */
const HOLD = `
hold() {
  step untried 'making pipes' mkfifo down up
  unshare --user --mount sh -c 'echo ready; read -r _' <down >up 2>&1 &
  holder=$!
  exec 8>down 7<up
  read -r said <&7
  [ "$said" = ready ] || { echo "untried making a user namespace: $said"; exit; }
  for map in uid_map gid_map; do
    step untried 'mapping ids' sh -c "echo 0 ${SHIFTED} 65536 >/proc/$holder/$map"
  done
}`

/** perl: makes an ID-mapped mount, as mount(8) does since util-linux 2.39. The numbers of the calls are the same on amd64 and arm64. */
const IDMAP = `
my ($namespace, $from, $to) = @ARGV;
my $empty = "";
open my $user, "<", $namespace or die "$namespace: $!\\n";
my $tree = syscall 428, -100, $from, 1; # open_tree, AT_FDCWD, OPEN_TREE_CLONE
die "open_tree: $!\\n" if $tree < 0;
my $attr = pack "Q4", 0x100000, 0, 0, fileno $user; # MOUNT_ATTR_IDMAP
die "mount_setattr: $!\\n" if syscall(442, $tree, $empty, 0x1000, $attr, length $attr) < 0; # AT_EMPTY_PATH
die "move_mount: $!\\n" if syscall(429, $tree, $empty, -100, $to, 4) < 0; # MOVE_MOUNT_F_EMPTY_PATH`

/** sh: checks first whether mount(8) supports ID mapping: an older one ignores the option and reports success. */
const MAPPED_MOUNT = `
${HOLD}
hold
step untried 'making directories' mkdir lower mapped
step untried 'making a file' touch lower/file
if mount --version | grep -q idmapping; then
  step refused mount_setattr mount --bind -o "X-mount.idmap=/proc/$holder/ns/user" lower mapped
elif command -v perl >/dev/null; then
  step refused mount_setattr perl -e '${IDMAP}' "/proc/$holder/ns/user" lower mapped
else
  echo 'untried finding a tool: neither mount of util-linux 2.39 nor perl is installed'; exit
fi
flags=none
while read -r _ _ _ _ point options _; do
  if [ "$point" = "$PWD/mapped" ]; then flags=$options; fi
done </proc/self/mountinfo
echo "saw flags $flags"
echo "saw mapped $(stat -c %u:%g mapped/file)"`

export const ID_MAPPED_MOUNT = `${START}${MAPPED_MOUNT}
echo end`

export const OVERLAY_ON_ID_MAPPED = `${START}${MAPPED_MOUNT}
step untried 'making directories' mkdir upper work merged
step untried 'giving them away' chown ${SHIFTED}:${SHIFTED} upper work
step refused 'mounting overlayfs' mount -t overlay -o lowerdir=mapped,upperdir=upper,workdir=work overlay merged
echo "saw owner $(stat -c %u:%g merged/file)"
echo end`

/** sh: mounts outside of the scratch directory, since root of the namespace may not search the directories above it. */
const ROOM = `
case $PWD in /mnt/*) at=/media ;; *) at=/mnt ;; esac
step untried "covering $at" mount -t tmpfs -o mode=755 tmpfs "$at"
step untried 'making directories' mkdir data "$at/merged" "$at/marked" "$at/shifted"
step untried 'making a file' touch data/old`

/** sh: the same test as Sysbox's. It never mounts overlayfs over shiftfs, which crashes kernels other than Ubuntu's. */
const SHIFT = `
step refused 'marking a mount' mount -t shiftfs -o mark "$source" "$at/marked"
${HOLD}
hold
nsenter -t "$holder" --user --mount sh -c '
  ${STEP}
  step refused "mounting shiftfs in a user namespace" mount -t shiftfs "$1/marked" "$1/shifted"
  step failed "entering shiftfs" cd "$1/shifted"
  cd "$1/shifted"
  echo "saw owner $(stat -c %u:%g old)"
  step failed "creating a file" touch new
  step failed "making a directory" mkdir dir
  step failed "renaming a new file" mv new newer
  step failed "renaming an old file into a directory" mv old dir/old
  step failed "removing files" rm newer dir/old
  step failed "removing a directory" rmdir dir
  echo end' shift "$at"`

export const SHIFTFS_ON_DISK = `${START}${ROOM}
source=$PWD/data
${SHIFT}`

export const SHIFTFS_ON_OVERLAY = `${START}${ROOM}
step untried 'making directories' mkdir upper work
step untried 'mounting overlayfs' mount -t overlay -o lowerdir=data,upperdir=upper,workdir=work overlay "$at/merged"
source=$at/merged
${SHIFT}`

/** sh: needs no disk. In a new procfs of a new pid namespace the first process sees itself as process 1. */
export const PROCFS = `
export LC_ALL=C
${STEP}
step untried 'making a user namespace' unshare --user --map-root-user true
step untried 'making a pid namespace' unshare --user --map-root-user --pid --fork true
step failed 'mounting procfs' unshare --user --map-root-user --pid --fork --mount-proc true
echo "saw pid $(unshare --user --map-root-user --pid --fork --mount-proc sh -c 'read -r pid _ </proc/self/stat; echo $pid')"
echo end`
