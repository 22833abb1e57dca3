# SPDX-License-Identifier: LGPL-2.1-or-later
# Every name a target can have is found; what a partition, a region or a DIMM is named after goes whole.
# lab: kernel=new config=two timeout=150

mkfs.xfs -q -f -L shelf -m rmapbt=1,reflink=0 /dev/pmem0
parted -s /dev/pmem1 mklabel gpt mkpart one 2MiB 100%
udevadm settle
make_ext4 /dev/pmem1p1
mount_pmem
mkdir -p /srv/two
mount /dev/pmem1p1 /srv/two
uuid=$(blkid -s UUID -o value /dev/pmem0)
pfn=$(bound_device namespace0.0)
start_daemon
for name in namespace0.0 pmem0 /dev/pmem0 "$mnt" "$mnt/" "$uuid" "UUID=$uuid" LABEL=shelf shelf /sys/block/pmem0 \
        /sys/bus/nd/devices/namespace0.0 "$(readlink -f /sys/bus/nd/devices/namespace0.0)" \
        "/dev/disk/by-uuid/$uuid"; do
        resolves "$name" namespace0.0
done
for name in namespace1.0 pmem1p1 /dev/pmem1p1 /srv/two; do resolves "$name" namespace1.0; done
for name in region0 nmem1 ndbus0; do
        resolves "$name" "$name"
        pmemremovectl plan "$name" >/dev/null
done
note "the plan is the same whatever the name"
for name in namespace0.0 /dev/pmem0 "$mnt" LABEL=shelf; do
        pmemremovectl plan --json=short "$name" | jq -r .plan | grep '^step .*op=unbind'
done | sort -u | tee /run/unbinds
[ "$(grep -c 'rung=1' /run/unbinds)" -eq 1 ]

note "a partition means its whole disk"
request /dev/pmem1p1 mode s graceful
wait_removal done
assert_gone namespace1.0
must_fail is_mounted /srv/two
is_mounted

note "a region goes whole, and comes back"
request region0 mode s graceful
wait_removal done
assert_gone namespace0.0
must_fail is_mounted
[ ! -e /sys/bus/nd/devices/region0/driver ]
[ -e /sys/bus/nd/devices/region1/driver ]
ndctl enable-region region0
wait_for 'is_bound namespace0.0 && [ -b /dev/pmem0 ]' 10
mount_pmem

note "a DIMM takes the regions it is part of"
request nmem0 mode s graceful
wait_removal done
assert_gone namespace0.0
[ ! -e /sys/bus/nd/devices/region0/driver ]
[ -e /sys/bus/nd/devices/region1/driver ]
ndctl enable-region region0
wait_for 'is_bound namespace0.0 && [ -b /dev/pmem0 ]' 10

note "DisableRegion="
conf '[Policy]' DisableRegion=yes
systemctl reload pmemremoved
request namespace0.0 mode s graceful
wait_removal done
[ ! -e /sys/bus/nd/devices/region0/driver ]
