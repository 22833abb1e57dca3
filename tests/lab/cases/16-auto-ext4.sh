# SPDX-License-Identifier: LGPL-2.1-or-later
# ext4 has no pre-remove: never unbound under live mappings; the daemon kills and unmounts.
# lab: kernel=new,old config=two timeout=90
# matrix: fsdax with pfn device, ext4 | auto | killed and unmounted, never unbound under mappings

make_ext4
mount_pmem
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:500ms'
start_daemon
refused_as NotSupported namespace0.0 mode s forced
is_alive "$app"
request namespace0.0
wait_removal done
[ "$(property Road)" = 's "kill"' ]
property Killed | grep -q "$app"
assert_gone namespace0.0
bind_again namespace0.0
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
umount "$mnt"
e2fsck -fn /dev/pmem0
