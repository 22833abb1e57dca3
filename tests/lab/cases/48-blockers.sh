# SPDX-License-Identifier: LGPL-2.1-or-later
# What it must not take away: swap, files in use by the kernel, and its own footing. All is named at once.
# lab: kernel=new,old config=two timeout=120

parted -s /dev/pmem1 mklabel gpt mkpart one 2MiB 40% mkpart two 40% 100%
udevadm settle
mkswap /dev/pmem1p1
swapon /dev/pmem1p1
echo "0 1024 linear /dev/pmem1p2 0" | dmsetup create stack
mount_pmem
start_daemon
swaps=$(cat /proc/swaps)
world >/run/before
note "swap; the device mapper device beside it could be taken down"
ctl_refused 5 remove -y namespace1.0
for word in pmem1p1 swapoff; do grep -q "$word" /run/out || fail "$word is not named"; done
refused_as Busy namespace1.0 mode s forced
[ "$(cat /proc/swaps)" = "$swaps" ]
dmsetup status stack | grep -q linear
ctl_refused 5 plan ndbus0
grep -q swapoff /run/out

note "a loop device holds a file, and no process shows it"
truncate -s 16M "$mnt/image"
loop=$(losetup -f --show "$mnt/image")
for mode in graceful auto; do
        refused "${loop#/dev/}" -- namespace0.0 mode s "$mode"
        is_mounted
        is_bound namespace0.0
done
losetup -d "$loop"
world | diff /run/before -

note "its own footing"
mkdir -p /run/log/journal
mount --bind "$mnt" /run/log/journal
refused_as Protected namespace0.0
grep -q /run/log/journal <<<"$sentence"
umount /run/log/journal

note "released, it goes"
swapoff /dev/pmem1p1
request namespace1.0
wait_removal done
assert_gone namespace1.0
must_fail dmsetup info stack
