# SPDX-License-Identifier: LGPL-2.1-or-later
# Two filesystems share a disk: the kernel would warn only one of them, so forced is refused and graceful takes both.
# lab: kernel=new config=two timeout=120
# matrix: two DAX filesystems on partitions of one disk | graceful | both go
# matrix: two DAX filesystems on partitions of one disk | forced | refused: one of them is not warned

parted -s /dev/pmem0 mklabel gpt mkpart one 2MiB 50% mkpart two 50% 100%
udevadm settle
make_xfs /dev/pmem0p1
make_ext4 /dev/pmem0p2
mount_pmem /dev/pmem0p1
mount_pmem /dev/pmem0p2 /srv/two
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
start_app --on-term=ignore --ack=/run/ack2 /srv/two/data
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before
refused_as NotSupported namespace0.0 mode s forced
world | diff /run/before -
request /dev/pmem0p2
wait_removal done
[ "$(property Road)" = 's "kill"' ]
# Once nobody wrote to it any more it was made read-only, before anything was unmounted.
kernel_said 'EXT4-fs \(pmem0p2\): re-mounted'
assert_gone namespace0.0
[ -z "$(places)" ]
bind_again namespace0.0
mount_pmem /dev/pmem0p1
mount_pmem /dev/pmem0p2 /srv/two
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
/lab/pmemapp --verify --ack=/run/ack2 /srv/two/data
