# SPDX-License-Identifier: LGPL-2.1-or-later
# Loop devices on the memory, and what stands on them, some layers deep: taken down from the top, set up again as they were
# when a removal is undone, and out of the way before the forced road freezes what is below.
# lab: kernel=new,old config=two timeout=300 ci=no
# matrix: loop device on a file on the target | graceful | unmounted, detached, set up again on rollback
# matrix: filesystem on loop on filesystem on loop | graceful | done, from the top down
# matrix: loop device under a filesystem that is frozen | forced | detached before, mappers killed by pre-remove (6.12)
# matrix: loop device on the pmem disk, with partitions | graceful | done, set up again on rollback
# matrix: loop device whose file is deleted or that is open | any | refused, named

loops() {
        grep -s . /sys/block/loop*/loop/{backing_file,offset,sizelimit,autoclear,partscan,dio} |
                sed 's|^/sys/block/||' | sort
        grep -s . /sys/block/loop[3457]/{ro,queue/logical_block_size}
}

set_up() {
        loops | grep -q backing_file
}

loop_places() {
        sed -n 's/^[0-9]* [0-9]* [0-9:]* \(.*\) - \([^ ]* [^ ]*loop.*\)/\1 \2/p' /proc/self/mountinfo |
                sed 's/ shared:[0-9]*/ shared/' | sort
}

undone() {
        request "$@" mode s graceful hold-before-commit b true
        reaches waiting
        must_fail set_up
        tell Cancel
        result_of
        [ "$result" = cancelled ]
        loops | diff /run/loops -
        loop_places | diff /run/loop-places -
        world | diff /run/before -
}

conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
modprobe loop
mount_pmem
mkdir -p /mnt/outer "$mnt/inner" /mnt/auto
truncate -s 300M "$mnt/outer.img"
losetup -o 1048576 --sizelimit 314572800 /dev/loop3 "$mnt/outer.img"
mkfs.ext4 -q /dev/loop3
mount -o noatime /dev/loop3 /mnt/outer
truncate -s 100M /mnt/outer/inner.img
mkfs.ext4 -q /mnt/outer/inner.img
losetup -r --show /dev/loop5 /mnt/outer/inner.img
mount -o ro /dev/loop5 "$mnt/inner"
truncate -s 50M "$mnt/auto.img"
mkfs.ext4 -q "$mnt/auto.img"
mount -o loop "$mnt/auto.img" /mnt/auto
echo kept >/mnt/outer/file
echo kept >/mnt/auto/file
start_daemon
loops | tee /run/loops
loop_places >/run/loop-places
world >/run/before

note "the plan: from the top down"
pmemremovectl plan namespace0.0 >/run/out || fail "$(cat /run/out)"
awk '$2 == "unmount" || $2 == "loop" { print $3 }' /run/out | awk '!seen[$0]++' | tr '\n' ' ' | tee /run/order
order=$(cat /run/order)
case $order in
*"$mnt/inner "*"loop5 "*"/mnt/outer "*"loop3 "*"$mnt "*) ;;
*) fail "the order is $order" ;;
esac
loops | diff /run/loops -

note "undone, all is as before"
undone namespace0.0
grep -q kept /mnt/outer/file
grep -q kept /mnt/auto/file

note "somebody has one open"
umount /mnt/auto
wait_for '! loops | grep -q auto.img' 10
truncate -s 16M "$mnt/open.img"
losetup /dev/loop7 "$mnt/open.img"
loops >/run/loops
loop_places >/run/loop-places
ln "$mnt/open.img" "$mnt/gone.img"
rm "$mnt/open.img"
refused loop7 losetup deleted -- namespace0.0
loops >/run/loops
losetup -d /dev/loop7
losetup /dev/loop7 "$mnt/gone.img"
loops >/run/loops
setsid sh -c 'trap "" TERM; exec sleep 1000' </dev/loop7 &
sleeper=$!
wait_for '[ "$(readlink /proc/$sleeper/fd/0)" = /dev/loop7 ]' 5
request namespace0.0 mode s graceful
result_of
[ "$result" = refused ]
property Error | grep -q loop7
kill -KILL "$sleeper"
loops | diff /run/loops -
losetup -d /dev/loop7
loops >/run/loops
world | diff /run/before -

note "done, and the data is there; where pre-remove kills, with somebody who stays on what is frozen"
if [ "$(uname -r | cut -d. -f1,2)" = 6.12 ]; then
        start_app --on-term=ignore "$mnt/data"
        request namespace0.0 mode s forced
        wait_removal done
        must_fail is_alive "$app"
        kernel_said "Sending SIGBUS to pmemapp:$app" | head -n 1
else
        request namespace0.0
        wait_removal done
fi
assert_gone namespace0.0
must_fail set_up
bind_again namespace0.0
mount_pmem
losetup -o 1048576 /dev/loop3 "$mnt/outer.img"
mount /dev/loop3 /mnt/outer
grep -q kept /mnt/outer/file
umount /mnt/outer
losetup -d /dev/loop3

note "on the disk itself, with partitions"
losetup -P /dev/loop4 /dev/pmem1
parted -s /dev/loop4 mklabel gpt mkpart one 2MiB 40%
udevadm settle
mkfs.ext4 -q /dev/loop4p1
mount /dev/loop4p1 /mnt/outer
loops >/run/loops
loop_places >/run/loop-places
world >/run/before
undone namespace1.0
is_mounted /mnt/outer
request namespace1.0
wait_removal done
assert_gone namespace1.0
