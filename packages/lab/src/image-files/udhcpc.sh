#!/bin/busybox sh
# Called by udhcpc: writes what the server said to $LEASE_FILE, one name=value per line, whole or not at all.
[ "$1" = bound ] || [ "$1" = renew ] || [ "$1" = leasefail ] || exit 0
{
  echo "event=$1"
  for name in ip mask subnet router staticroutes mtu hostname domain dns serverid lease interface; do
    eval "value=\$$name"
    [ -n "$value" ] && echo "$name=$value"
  done
} > "$LEASE_FILE.new"
mv "$LEASE_FILE.new" "$LEASE_FILE"
exit 0
