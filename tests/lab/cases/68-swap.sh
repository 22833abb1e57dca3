# SPDX-License-Identifier: LGPL-2.1-or-later
# Swap on the memory: turned off when what is on it fits elsewhere, on again with its priority when a removal is undone,
# refused before anything is touched when it does not fit or could not be given back.
# lab: kernel=new,old config=two timeout=120
# matrix: swap area | graceful | done; swapon again with its priority on rollback
# matrix: swap file | graceful | done; swapon again on rollback; one whose path is lost blocks
# matrix: swap that does not fit | any | refused before anything is touched

areas() {
        sed 1d /proc/swaps | awk '{ print $1, $2, $3, $5 }' | sort
}

swapped_out() {
        awk -v p="$1" '$1 == p { exit !($4 > 20000) }' /proc/swaps
}

parted -s /dev/pmem1 mklabel gpt mkpart one 2MiB 40% mkpart two 40% 100%
udevadm settle
mkswap -q /dev/pmem1p1
swapon -p 7 /dev/pmem1p1
mkfs.ext4 -q /dev/pmem1p2
mkdir -p /mnt/two
mount /dev/pmem1p2 /mnt/two
dd if=/dev/zero of=/mnt/two/swap bs=1M count=32 status=none
chmod 600 /mnt/two/swap
mkswap -q /mnt/two/swap
swapon -p 3 /mnt/two/swap
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
areas >/run/areas

note "something is on it"
mkdir /sys/fs/cgroup/victim
(
        echo "$BASHPID" >/sys/fs/cgroup/victim/cgroup.procs
        exec dd if=/dev/urandom of=/dev/shm/data bs=1M count=64 status=none
)
echo 64M >/sys/fs/cgroup/victim/memory.reclaim || true
swapped_out /dev/pmem1p1
sum=$(sha256sum </dev/shm/data)
echo 64M >/sys/fs/cgroup/victim/memory.reclaim || true
world >/run/before

note "the plan names both"
pmemremovectl plan namespace1.0 >/run/out || fail "$(cat /run/out)"

grep -q 'swapoff .*/dev/pmem1p1' /run/out
grep -q 'swapoff .*/mnt/two/swap' /run/out
areas | diff /run/areas -

note "undone, all is as before"
request namespace1.0 mode s graceful hold-before-commit b true
reaches waiting
[ -z "$(areas)" ] || fail "still in use: $(areas)"
must_fail is_mounted /mnt/two
tell Cancel
result_of
[ "$result" = cancelled ]
areas | diff /run/areas -
world | diff /run/before -

note "one whose path is lost cannot be given back"
umount -l /mnt/two
areas | tee /run/lost
refused swapoff /swap 'mount its filesystem again' -- namespace1.0
areas | diff /run/lost -
mount /dev/pmem1p2 /mnt/two
swapoff /mnt/two/swap
swapon -p 3 /mnt/two/swap
world >/run/before

note "what does not fit"
cp /proc/meminfo /run/meminfo
awk '$1 == "MemAvailable:" { $2 = 1024 } $1 == "SwapFree:" { $2 = 0 } { print }' /proc/meminfo >/run/meminfo
echo 64M >/sys/fs/cgroup/victim/memory.reclaim || true
mount --bind /run/meminfo /proc/meminfo
refused 'swapped out' MiB -- namespace1.0
umount /proc/meminfo
areas | diff /run/areas -
world | diff /run/before -

note "done, and what was on it is whole"
request namespace1.0
wait_removal done
assert_gone namespace1.0
[ -z "$(areas)" ]
[ "$(sha256sum </dev/shm/data)" = "$sum" ] || fail "the swapped memory has changed"
