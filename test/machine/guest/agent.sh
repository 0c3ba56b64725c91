#!/bin/sh
# The guest's end of the channel. A line in: id, limit in seconds, script (base64). A line out: id, exit status, stdout, stderr
# (base64 each, `=` when empty). Several scripts may run at once.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t securityfs securityfs /sys/kernel/security
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm /dev/pts /run/test-agent
mount -t tmpfs tmpfs /dev/shm
hostname test-machine
until [ -c /dev/vport0p1 ] || [ -c /dev/vport1p1 ]; do sleep 0.02; done
exec 3<>"$(echo /dev/vport?p1)"

answer() {
  printf '%s %s ' "$1" "$2"
  for name in out err; do
    [ -s "$3/$name" ] && base64 -w0 "$3/$name" || printf =
    printf ' '
  done
  echo
}

handle() {
  folder=/run/test-agent/$1
  mkdir "$folder"
  printf %s "$3" | base64 -d >"$folder/script"
  timeout -s KILL "$2" sh "$folder/script" >"$folder/out" 2>"$folder/err" </dev/null 3>&-
  status=$?
  answer "$1" "$status" "$folder" >"$folder/answer"
  flock /run/test-agent/lock cat "$folder/answer" >&3
  rm -rf "$folder"
}

echo ready >&3
while read -r id limit script <&3; do
  handle "$id" "$limit" "$script" &
done
