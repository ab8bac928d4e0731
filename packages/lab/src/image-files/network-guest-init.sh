#!/bin/busybox sh
# First process of the network guest: mounts, modules, the share with the source tree, then the cases. Powers off at their end.
/bin/busybox mkdir -p /bin /sbin /usr/bin /usr/sbin
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/root
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts /dev/net /run/udev /repo /peers /bundle /var/lib /run/netns
for n in 0:stdin 1:stdout 2:stderr; do ln -sf /proc/self/fd/${n%%:*} /dev/${n##*:}; done
ln -sf /proc/self/fd /dev/fd
echo /bin/modprobe > /proc/sys/kernel/modprobe
for module in $(cat /etc/guest-modules); do modprobe -q "$module"; done
# The bonding module brings one bond of its own.
/bin/ip link del bond0 2>/dev/null
for share in repo peers bundle; do
  mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose $share /$share
done
/bin/ip link set lo up
export NODE_COMPILE_CACHE=/tmp/compile
cd /repo && /bin/node --disable-warning=ExperimentalWarning $(cat /etc/guest-program) > /dev/ttyS1 2> /dev/ttyS0
echo "guest: the program ended with $?" > /dev/ttyS0
sync
poweroff -f
