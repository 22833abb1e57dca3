# SPDX-License-Identifier: LGPL-2.1-or-later
# What it must not take away: a stacked device of a kind it cannot give back, and its own footing. All is named at once,
# and nothing is touched: the swap beside it stays on.
# lab: kernel=new config=two timeout=120

parted -s /dev/pmem1 mklabel gpt mkpart one 2MiB 40% mkpart two 40% 100%
udevadm settle
mkswap /dev/pmem1p1
swapon /dev/pmem1p1
echo "0 1024 delay /dev/pmem1p2 0 0" | dmsetup create stack
mount_pmem
start_daemon
swaps=$(cat /proc/swaps)
world >/run/before
note "a device mapper device of such a kind; the swap beside it could be turned off"
ctl_refused 5 remove -y namespace1.0
for word in dm-0 delay; do grep -q "$word" /run/out || fail "$word is not named"; done
refused_as Busy namespace1.0 mode s forced
[ "$(cat /proc/swaps)" = "$swaps" ]
dmsetup status stack | grep -q delay
ctl_refused 5 plan ndbus0
grep -q dm-0 /run/out

note "its own footing"
mkdir -p /run/log/journal
mount --bind "$mnt" /run/log/journal
refused_as Protected namespace0.0
grep -q /run/log/journal <<<"$sentence"
umount /run/log/journal

note "released, it goes"
dmsetup remove stack
request namespace1.0
wait_removal done
assert_gone namespace1.0
must_fail grep -q pmem1 /proc/swaps
