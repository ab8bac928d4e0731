#!/bin/busybox sh
# First process of the boot images: mounts, drivers, then the program in /program.mjs (agent or Talos stand-in).
/bin/busybox mkdir -p /bin /sbin /usr/bin /usr/sbin
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/root
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts /run/mnt
for n in 0:stdin 1:stdout 2:stderr; do ln -sf /proc/self/fd/${n%%:*} /dev/${n##*:}; done
ln -sf /proc/self/fd /dev/fd
echo /bin/modprobe > /proc/sys/kernel/modprobe
say() { echo "<6>[sidero] init: $*" > /dev/kmsg; }

# The drivers of everything that the buses show; twice, because bus drivers show more.
load_drivers() {
  find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u | xargs -r -n 64 modprobe -a -q 2>/dev/null
}
drivers() {
  load_drivers
  load_drivers
  modprobe -a -q ipmi_si ipmi_devintf sd_mod 2>/dev/null
  echo done > /run/drivers
}
drivers &
/bin/ip link set lo up

/bin/node --disable-warning=ExperimentalWarning /program.mjs
code=$?
say "program ended with $code"
sync
[ "$code" = 42 ] && poweroff -f
# After a failure the console stays readable for a moment.
[ "$code" = 0 ] || sleep 10
reboot -f
sleep 1000
