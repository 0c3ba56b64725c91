#!/bin/busybox sh
# First process of a test machine: reaches the disk, lays this boot's files on it and hands over to the agent there.
/bin/busybox mkdir -p /dev /root
/bin/busybox --install -s /bin
mount -t devtmpfs devtmpfs /dev
while read -r name; do insmod "/modules/$name"; done </modules/order
until [ -b /dev/vda ]; do sleep 0.02; done
mount -t ext4 -o noatime /dev/vda /root
[ ! -d /files ] || cp -a /files/. /root/
cp /agent.sh /root/sbin/test-agent
mount --move /dev /root/dev
exec switch_root /root /bin/sh /sbin/test-agent
