# SPDX-License-Identifier: LGPL-2.1-or-later
# Software RAID: a leg is taken out of an array that can do without it, and nobody above notices; an array that cannot lose it
# is refused; one without redundancy is stopped and assembled again.
# lab: kernel=new,old config=two timeout=300 ci=no
# matrix: md raid1, raid5, raid10, spare; redundancy left | any | leg failed and removed, nobody disturbed; added on rollback
# matrix: md degraded, resynchronising, too many legs | any | refused with the state
# matrix: md raid0, linear | graceful | stopped after the unmount, assembled on rollback

legs() {
        (cd "/sys/block/$1/md" && for leg in dev-*; do printf '%s=%s ' "${leg#dev-}" "$(cat "$leg/state")"; done)
}

whole() {
        wait_for "[ \$(cat /sys/block/$1/md/degraded) -eq 0 ] && [ \$(cat /sys/block/$1/md/sync_action) = idle ]" 60
}

create() {
        mdadm --create "/dev/$1" --run --assume-clean --homehost=any --metadata=1.2 "${@:2}" 2>&1 | tail -n 1
        udevadm settle
}

# Ends at the first error. What is in /run/ack is on the disk.
writer() {
        local i=0
        while echo $i >>"$mnt/data" && sync "$mnt/data"; do
                echo $((i++)) >>/run/ack
                sleep 0.02
        done
}

wipefs -qa /dev/pmem0 /dev/pmem1
modprobe brd rd_nr=6 rd_size=65536 2>/dev/null || true
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon

note "raid1 with a filesystem and a writer"
create md0 --level=1 --raid-devices=2 --bitmap=internal --size=400M /dev/pmem0 /dev/pmem1
make_xfs /dev/md0
mkdir -p "$mnt"
mount /dev/md0 "$mnt"
writer </dev/null >/dev/null 2>&1 &
app=$!
wait_for '[ -s /run/ack ]' 10
pmemremovectl list | tee /run/list
grep -q 'md0:pmem0' /run/list
pmemremovectl plan namespace0.0 | tee /run/plan
grep -q 'leg *md0:pmem0' /run/plan
must_fail grep -q 'unmount' /run/plan
before=$(legs md0)
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
[ "$(cat /sys/block/md0/md/degraded)" -eq 1 ]
[ ! -e /sys/block/md0/md/dev-pmem0 ]
is_writing
note "the other leg is the last one now"
refused_as Busy namespace1.0 mode s auto
grep -q 'degraded' <<<"$sentence"
tell Cancel
wait_removal cancelled
whole md0
[ "$(legs md0)" = "$before" ]
is_alive "$app"
note "dead after the unbind"
crash 'begin.* step=flush ' worker daemon
request namespace0.0 mode s forced
crashed
result_of
systemctl reset-failed pmemremoved
whole md0
[ "$(legs md0)" = "$before" ]
is_alive "$app"
is_writing
note "too many legs"
ctl_refused 5 plan ndbus0
grep -q '2 of its legs would go and it can lose 1' /run/out
note "for good"
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
is_alive "$app"
is_writing
bind_again namespace0.0
if [ ! -e /sys/block/md0/md/dev-pmem0 ]; then mdadm --manage /dev/md0 --re-add /dev/pmem0; fi
whole md0
kill -KILL "$app"
wait_for '! is_alive $app' 10
umount "$mnt"
mdadm --manage /dev/md0 --fail /dev/pmem1
mount /dev/md0 "$mnt"
head -n "$(wc -l </run/ack)" "$mnt/data" | cmp - /run/ack
umount "$mnt"
mdadm --stop /dev/md0
mdadm --zero-superblock /dev/pmem0 /dev/pmem1

note "raid5, raid10 and a spare, on partitions"
parted -s /dev/pmem0 mklabel gpt mkpart a 2MiB 100MiB mkpart b 100MiB 200MiB mkpart c 200MiB 300MiB
udevadm settle
create md1 --level=5 --size=32M --chunk=64 --raid-devices=3 /dev/pmem0p1 /dev/ram0 /dev/ram1
create md2 --level=10 --size=32M --chunk=64 --raid-devices=3 /dev/pmem0p2 /dev/ram2 /dev/ram3
create md3 --level=1 --size=32M --raid-devices=2 --spare-devices=1 /dev/ram4 /dev/ram5 /dev/pmem0p3
all_legs() {
        legs md1
        legs md2
        legs md3
}
before=$(all_legs)
request namespace0.0 hold-before-commit b true
reaches waiting
must_fail grep pmem0 <<<"$(all_legs)"
tell Cancel
wait_removal cancelled
for array in md1 md2 md3; do
        whole "$array"
        mdadm --wait "/dev/$array" || true
done
[ "$(all_legs)" = "$before" ] || fail "$(all_legs), not $before"
mdadm --stop /dev/md1 /dev/md2 /dev/md3
wipefs -qa /dev/pmem0p1 /dev/pmem0p2 /dev/pmem0p3 /dev/pmem0
udevadm settle

note "raid0 over both namespaces"
create md4 --level=0 --raid-devices=2 /dev/pmem0 /dev/pmem1
make_ext4 /dev/md4
mount /dev/md4 "$mnt"
dd if=/dev/urandom of="$mnt/data" bs=1M count=2 status=none
sum=$(md5sum <"$mnt/data")
world >/run/before
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
[ ! -e /sys/block/md4/md/level ]
tell Cancel
wait_removal cancelled
world | diff /run/before -
[ "$(md5sum <"$mnt/data")" = "$sum" ]
note "dead after the unbind"
crash 'begin.* step=flush ' worker daemon
request namespace0.0 mode s graceful
crashed
result_of
systemctl reset-failed pmemremoved
world | diff /run/before -
[ "$(md5sum <"$mnt/data")" = "$sum" ]
refused_as NotSupported namespace0.0 mode s forced
request ndbus0
wait_removal done
assert_gone namespace0.0
assert_gone namespace1.0
