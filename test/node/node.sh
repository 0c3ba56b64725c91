#!/usr/bin/env bash
# A node of its own on this machine: containerd and kubelet in new user, mount, network, pid, uts, ipc and cgroup namespaces. Killing the
# process that this becomes ends every process, mount, interface and packet filter rule of it; what stays are cgroups, which `clean` removes.
#
#   node.sh up FOLDER     become the node; FOLDER holds what node.ts writes there
#   node.sh clean FOLDER  after its end
set -euo pipefail

folder=$2
group=berth-$(basename "$folder")

hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }

enter_cgroups() {
  local at
  for at in $(hierarchies); do
    mkdir -p "$at/$group"
    # A new cpuset of the first version is empty and takes no process.
    if [ -e "$at/$group/cpuset.mems" ] && [ -e "$at/cpuset.mems" ]; then
      cat "$at/cpuset.cpus" >"$at/$group/cpuset.cpus"
      cat "$at/cpuset.mems" >"$at/$group/cpuset.mems"
    fi
    echo 0 >"$at/$group/cgroup.procs"
  done
}

clean() {
  local at try
  for at in $(hierarchies); do
    for try in $(seq 50); do
      [ -d "$at/$group" ] || break
      find "$at/$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    done
    [ ! -d "$at/$group" ] || { echo "left over: $at/$group" >&2; exit 1; }
  done
}

# As udev makes it; no user namespace may.
make_devices() {
  mknod "$folder/fuse" c 10 229
  chmod 666 "$folder/fuse"
}

# Where the limits of user namespaces are this node's own. One id short of all, or runc takes it for the first user namespace.
into_user_namespace() {
  unshare --user sleep 10 &
  local holder=$!
  until [ "$(readlink "/proc/$holder/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.02; done
  echo '0 0 4294967294' >"/proc/$holder/uid_map"
  echo '0 0 4294967294' >"/proc/$holder/gid_map"
  exec nsenter --target "$holder" --user -- \
    unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child=KILL --mount-proc -- "$BASH" "$0" inside "$folder"
}

cgroups_anew() {
  local at type options mounted
  mounted=$(awk '$3 == "cgroup" || $3 == "cgroup2" { print $2, $3, $4 }' /proc/mounts)
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while read -r at type options; do
    mkdir -p "$at"
    if [ "$type" = cgroup2 ]; then
      mount -t cgroup2 cgroup2 "$at"
    else
      options=$(tr , '\n' <<<"$options" | grep -vE '^(rw|ro|relatime|nosuid|nodev|noexec)$' | paste -sd,)
      mount -t cgroup -o "$options" cgroup "$at"
    fi
  done <<<"$mounted"
}

mounts() {
  mount --make-rshared /
  cgroups_anew
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/node/proc /run/node/sys /run/lock /run/netns
  # A user namespace may mount a new proc or sysfs only where one that nothing covers is in sight.
  mount -t proc proc /run/node/proc
  mount -t sysfs sysfs /run/node/sys
  # Mount points are made below /var/lib, and none of them on the machine. What pods get must be ID-mapped: only what this user namespace
  # mounted itself may be, so it is in memory.
  mkdir -p "$folder/lib/upper" "$folder/lib/work" "$folder/flex"
  mount -t overlay -o "lowerdir=/var/lib,upperdir=$folder/lib/upper,workdir=$folder/lib/work,userxattr" overlay /var/lib
  mkdir -p /var/lib/kubelet /var/lib/cni /var/lib/containerd
  for at in /var/lib/kubelet /var/lib/cni /var/lib/containerd; do mount -t tmpfs -o mode=711 tmpfs "$at"; done
  mount --make-rshared /var/lib/kubelet
  mount -t tmpfs -o mode=755 tmpfs /var/log
  # The kubelet sets these for the whole machine.
  mkdir -p "$folder/sysctl"
  local setting file
  for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=$folder/sysctl/${setting%%=*}
    mkdir -p "$(dirname "$file")"
    echo "${setting#*=}" >"$file"
    mount --bind "$file" "/proc/sys/${setting%%=*}"
  done
  mount --bind "$folder/fuse" /dev/fuse
  local path other
  while IFS=$'\t' read -r path other; do mount --bind "$other" "$path"; done <"$folder/cover"
}

network() {
  ip link set lo up
  ip link add node0 type veth peer name node1 # with both ends here: not every kernel has dummy interfaces
  ip link set node0 up
  ip link set node1 up
  ip addr add 10.99.0.2/24 dev node0
  ip addr add 10.0.0.1/32 dev lo # the service `kubernetes`
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

# As systemd does: a program that was killed is started again.
restarting() {
  while :; do
    "$@" || true
    sleep 0.2
  done
}

inside() {
  mounts
  network
  hostname node
  "$NODE" "$(dirname "$0")/relay.ts" 10.0.0.1 443 "$folder/api.sock" "$folder/gate.sock" >"$folder/relay.log" 2>&1 &
  restarting containerd --config "$folder/containerd.toml" >"$folder/containerd.log" 2>&1 &
  until ctr -a /run/node/containerd.sock version >/dev/null 2>&1; do sleep 0.1; done
  local image
  for image in "$folder"/images/*.tar; do ctr -a /run/node/containerd.sock -n k8s.io images import "$image" >>"$folder/images.log" 2>&1; done
  restarting kubelet --config "$folder/kubelet.json" --kubeconfig "$folder/kubelet.kubeconfig" --hostname-override node --node-ip 10.99.0.2 \
    --cert-dir "$folder/kubelet-keys" >"$folder/kubelet.log" 2>&1 &
  wait # as its first process it reaps what others leave
}

case $1 in
  up) enter_cgroups && make_devices && into_user_namespace ;;
  clean) clean ;;
  inside) inside ;;
esac
