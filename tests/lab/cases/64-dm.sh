# SPDX-License-Identifier: LGPL-2.1-or-later
# Device mapper: a striped LVM volume over two namespaces, a linear one, and two more layers made by dmsetup on that. They go
# when nobody uses them, and come back with the same tables on whatever numbers the devices below have by then.
# lab: kernel=new,old config=two timeout=240
# matrix: LVM striped and linear, dm-linear, several layers | graceful | deactivated, put up again on rollback
# matrix: LVM, dm-linear | forced | refused: dm does not pass pre-remove on
# matrix: other device mapper targets, suspended device | any | refused with the command

# Everything that has to be the same, but for the numbers.
stack() {
        local name
        for name in vg-striped vg-linear layer part; do
                dmsetup info -c --noheadings -o name,uuid,attr "$name"
                dmsetup table "$name" | sed -E 's/[0-9]+:[0-9]+/N/g'
        done
        ls -d /dev/vg/* /dev/mapper/*
        places
        sed -n 's|.* - \([^ ]* /dev/mapper[^ ]*\).*|\1|p' /proc/self/mountinfo
        cat /proc/sys/kernel/printk
}

as_it_was() {
        stack | diff /run/before - || fail "it is not as before"
        [ "$(md5sum <"$mnt/data")" = "$sum" ]
        [ "$(md5sum <"$mnt/two/data")" = "$sum" ]
        echo x >"$mnt/two/probe"
        clean_behind
}

# The kernel gives a number back when the last one who has the disk open is gone.
takes_the_number() {
        losetup -d /dev/loop3 2>/dev/null || true
        losetup -P /dev/loop3 /run/disk
        cat /sys/block/loop3/loop3p*/dev | grep -qx "$old"
}

wipefs -qa /dev/pmem0 /dev/pmem1
# A lower number is free when the memory comes back, and it takes that.
ndctl disable-namespace namespace0.0 2>/dev/null
truncate -s 8M /run/disk
echo start=2048 | sfdisk -q /run/disk
loop=$(losetup -f -P --show /run/disk)
wait_for '[ -e ${loop}p1 ]' 10
ndctl enable-namespace namespace0.0 2>/dev/null
losetup -d "$loop"
wait_for '[ -e /dev/pmem0 ]' 10
udevadm settle
vgcreate -q vg /dev/pmem0 /dev/pmem1 2>/dev/null
lvcreate -q -y -i 2 -L 320M -n striped vg
lvcreate -q -y -L 128M -n linear vg /dev/pmem0
echo "0 200000 linear /dev/vg/linear 8" | dmsetup create layer
echo "0 190000 linear /dev/mapper/layer 2048" | dmsetup create part
udevadm settle
mkfs.xfs -q -f /dev/vg/striped
mkfs.ext4 -q /dev/mapper/part
mkdir -p "$mnt"
mount /dev/vg/striped "$mnt"
mkdir "$mnt/two"
mount /dev/mapper/part "$mnt/two"
dd if=/dev/urandom of="$mnt/data" bs=1M count=2 status=none
cp "$mnt/data" "$mnt/two/data"
sum=$(md5sum <"$mnt/data")
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
stack | tee /run/before

note "what would be done"
pmemremovectl plan namespace0.0 | tee /run/plan
for word in vg-striped vg-linear layer part; do
        grep -q "deactivat.*$word" /run/plan || fail "$word is not named"
done
refused_as NotSupported namespace0.0 mode s forced
grep -q 'stacked devices' <<<"$sentence"

note "cancelled when everything is down"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail ls -d /sys/block/dm-*
must_fail is_mounted
tell Cancel
wait_removal cancelled
as_it_was

note "dead after the unbind: the memory comes back as another device number"
# Another disk takes the number, and what else is free, while nobody is there to bind the memory again.
truncate -s 8M /run/disk
parted -s /run/disk mklabel gpt mkpart one 1MiB 2MiB mkpart two 2MiB 3MiB mkpart three 3MiB 4MiB
mkdir -p /run/systemd/system/pmemremoved.service.d
printf '[Service]\nRestartSec=8\n' >/run/systemd/system/pmemremoved.service.d/slow.conf
systemctl daemon-reload
old=$(cat /sys/block/pmem0/dev)
crash 'begin.* step=flush ' worker daemon
request namespace0.0 mode s graceful
crashed
wait_for takes_the_number 6
result_of
[ "$result" = failed ] || [ "$result" = cancelled ]
note "$old is now $(cat /sys/block/pmem0/dev)"
[ "$(cat /sys/block/pmem0/dev)" != "$old" ]
as_it_was
losetup -d /dev/loop3
systemctl reset-failed pmemremoved

note "somebody has one of them open"
umount "$mnt/two"
sh -c 'trap "" TERM; while :; do sleep 1; done' 9</dev/mapper/part &
holder=$!
stack >/run/before
request namespace0.0 mode s graceful
wait_removal refused
property Error | tee /run/error
grep -q "$holder" /run/error
stack | diff /run/before -
kill -KILL $holder
wait $holder || true
mount /dev/mapper/part "$mnt/two"

note "what cannot be given back"
echo "0 8192 delay /dev/vg/linear 131072 0" | dmsetup create slow
ctl_refused 5 plan namespace0.0
grep -q 'delay.*dmsetup remove /dev/mapper/slow' /run/out
dmsetup remove slow
dmsetup suspend vg-linear
echo 1 >/proc/sys/vm/drop_caches
ctl_refused 5 plan namespace0.0
dmsetup resume vg-linear
grep -q 'dmsetup resume vg-linear' /run/out

note "and away"
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
must_fail ls -d /sys/block/dm-*
bind_again namespace0.0
vgchange -q --activate y vg >/dev/null 2>&1
mount /dev/vg/striped "$mnt"
[ "$(md5sum <"$mnt/data")" = "$sum" ]
