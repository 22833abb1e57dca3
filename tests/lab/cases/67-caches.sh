# SPDX-License-Identifier: LGPL-2.1-or-later
# Caches in the memory keep bare pointers into it: dm-writecache and bcache. They are refused with the command that writes them
# back and detaches them, and after that command the memory goes.
# lab: kernel=new,old config=two timeout=240
# matrix: dm-writecache | any | refused with the command that flushes and detaches
# matrix: bcache, the memory as cache or as backing device | any | refused with the commands

# blocked WORD...: for each road.
blocked() {
        local mode word
        for mode in graceful forced auto; do
                ask_error namespace0.0 mode s "$mode"
                [[ $error == *.Busy || $mode$error == forced*.NotSupported ]] || fail "$mode: ${error:-accepted}"
                for word; do grep -qF -- "$word" <<<"$sentence" || fail "no $word"; done
        done
}

wipefs -qa /dev/pmem0 /dev/pmem1
modprobe brd rd_nr=2 rd_size=65536 2>/dev/null || true
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon

note "dm-writecache"
dd if=/dev/zero of=/dev/pmem0 bs=1M count=1 oflag=direct status=none
dmsetup create cached --table "0 131072 writecache p /dev/ram0 /dev/pmem0 4096 0"
make_ext4 /dev/mapper/cached
mkdir -p "$mnt"
mount /dev/mapper/cached "$mnt"
dd if=/dev/urandom of="$mnt/data" bs=1M count=2 status=none
sum=$(md5sum <"$mnt/data")
blocked 'dmsetup message cached 0 flush' 'dmsetup remove /dev/mapper/cached'
is_mounted
note "as it says"
umount "$mnt"
dmsetup message cached 0 flush
dmsetup remove /dev/mapper/cached
request namespace0.0
wait_removal done
assert_gone namespace0.0
mount /dev/ram0 "$mnt"
[ "$(md5sum <"$mnt/data")" = "$sum" ]
umount "$mnt"
bind_again namespace0.0

note "the same as a volume of LVM"
wipefs -qa /dev/pmem0
vgcreate -q vg /dev/pmem0 /dev/ram1
lvcreate -q -y -L 32M -n fast vg /dev/pmem0
# Not on the memory: a volume that can do DAX cannot become one that cannot.
lvcreate -q -y -L 48M -n slow vg /dev/ram1
lvchange -q -an vg/fast
lvconvert -q -y --type writecache --cachevol fast vg/slow
dmsetup table
blocked 'lvconvert --splitcache /dev/mapper/vg-slow'
lvconvert -q -y --splitcache /dev/mapper/vg-slow
vgremove -q -y -f vg
pvremove -q /dev/pmem0 /dev/ram1

note "bcache, the memory as its cache"
modprobe bcache
bcache_up() { # BACKING CACHE
        wipefs -qa "$1" "$2"
        make-bcache --wipe-bcache -B "$1" -C "$2" >/dev/null
        for disk in "$1" "$2"; do
                wait_for "[ -e /sys/block/${disk#/dev/}/bcache ] || ! echo $disk >/sys/fs/bcache/register" 5
        done
        wait_for '[ -e /sys/block/bcache0/bcache/cache ]' 10
}
bcache_up /dev/ram1 /dev/pmem0
set_id=$(basename "$(readlink /sys/block/pmem0/bcache/set)")
ls /sys/block/pmem0/holders
echo writeback >/sys/block/bcache0/bcache/cache_mode
make_ext4 /dev/bcache0
mount /dev/bcache0 "$mnt"
pmemremovectl list | tee /run/list
must_fail grep bcache:bcache0 /run/list
blocked bcache0 /sys/block/bcache0/bcache/detach "/sys/fs/bcache/$set_id/unregister"
umount "$mnt"
echo 1 >/sys/block/bcache0/bcache/detach
wait_for 'grep -q "no cache" /sys/block/bcache0/bcache/state' 60
note "a cache that serves nobody"
blocked "/sys/fs/bcache/$set_id/unregister"
echo 1 >"/sys/fs/bcache/$set_id/unregister"
wait_for '[ ! -e /sys/block/pmem0/bcache ]' 30
# What comes back with its superblock is a cache at once.
wipefs -qa /dev/pmem0
request namespace0.0
wait_removal done
bind_again namespace0.0
echo 1 >/sys/block/bcache0/bcache/stop
wait_for '[ ! -e /sys/block/bcache0 ]' 30

note "bcache, the memory as backing device"
make-bcache --wipe-bcache -B /dev/pmem0 >/dev/null
wait_for '[ -e /sys/block/pmem0/bcache/dev ] || ! echo /dev/pmem0 >/sys/fs/bcache/register' 10
wait_for '[ -e /sys/block/pmem0/bcache/dev ]' 10
cached=$(basename "$(readlink /sys/block/pmem0/bcache/dev)")
blocked "/sys/block/$cached/bcache/stop"
echo 1 >"/sys/block/$cached/bcache/stop"
wait_for '[ ! -e /sys/block/pmem0/bcache ]' 30
request namespace0.0
wait_removal done
assert_gone namespace0.0
