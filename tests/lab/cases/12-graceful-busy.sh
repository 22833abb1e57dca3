# SPDX-License-Identifier: LGPL-2.1-or-later
# Somebody stays: graceful is undone, everything is as before, and who stayed is named.
# lab: kernel=new,old config=two timeout=90
# matrix: fsdax with pfn device, somebody stays | graceful | undone, who stayed is named

mount_pmem
mkdir -p /srv/other
mount -o dax=always,noatime /dev/pmem0 /srv/other
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:1s'
start_daemon
world >/run/before
code=0
pmemremovectl remove --mode=graceful -y namespace0.0 >/run/out 2>&1 || code=$?
cat /run/out
[ "$code" -eq 5 ] || fail "exit status $code"
grep -q "$app" /run/out || fail "who stayed is not named"
is_alive "$app"
world | diff /run/before -
is_frozen && fail "it is frozen"
is_mounted /srv/other
acknowledged=$(stat -c %s /run/ack)
wait_for '[ $(stat -c %s /run/ack) -gt $acknowledged ]' 5
