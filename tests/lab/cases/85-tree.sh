# SPDX-License-Identifier: LGPL-2.1-or-later
# list shows each stack as a tree, from the bus up to the processes; plan names the step for each layer, from the top down.
# lab: kernel=new config=two timeout=120
# matrix: filesystem on loop on filesystem; LVM and swap on partitions | graceful | one tree, one order, all at once

parted -s /dev/pmem1 mklabel gpt mkpart one 2MiB 40% mkpart two 40% 100%
udevadm settle
mkswap /dev/pmem1p1 >/dev/null
swapon -p 5 /dev/pmem1p1
pvcreate -q /dev/pmem1p2 >/dev/null
vgcreate -q vg /dev/pmem1p2 >/dev/null
lvcreate -q -n lv -l 50%FREE vg >/dev/null
mkfs.ext4 -q /dev/vg/lv
mkdir -p /srv/lv /srv/inner
mount /dev/vg/lv /srv/lv
mount_pmem
truncate -s 64M "$mnt/image"
mkfs.ext4 -q "$mnt/image"
mount -o loop "$mnt/image" /srv/inner
start_app --idle --fd-only --size=1 /srv/inner/file
cd /
conf '[Policy]' 'DrainSignals=SIGTERM:2s'
start_daemon

# depth WORD: how far the line of the tree that has this word is indented.
depth() {
        local line
        line=$(grep -m 1 -E -- "$1" /run/tree) || fail "$1 is not in the tree"
        line=${line%%[[:alnum:]/]*}
        echo "${#line}"
}

note "the tree"
SYSTEMD_PAGER='' pmemremovectl list --no-pager >/run/tree
cat /run/tree
above=-1
for word in 'ndbus0 ' 'region0 ' 'namespace0.0 ' 'pmem0 +block' 'pmem0 +filesystem' "loop[0-9]+ +stacked" 'loop[0-9]+ +filesystem' "$app "; do
        below=$above
        above=$(depth "$word")
        [ "$above" -gt "$below" ] || fail "$word is not above what it stands on"
done
above=-1
for word in 'region1 ' 'namespace1.0 ' 'pmem1 ' 'pmem1p2 ' 'dm-0 +stacked' 'dm-0 +filesystem' '/srv/lv '; do
        below=$above
        above=$(depth "$word")
        [ "$above" -gt "$below" ] || fail "$word is not above what it stands on"
done
[ "$(depth 'pmem1p1 +swap')" -gt "$(depth 'pmem1p1 +block')" ]

note "the plan of all of it"
pmemremovectl plan --no-pager ndbus0 >/run/plan
cat /run/plan
order() {
        local word at last=0
        for word; do
                at=$(grep -n -m 1 -E -- "$word" /run/plan | cut -d : -f 1) || fail "$word is not in the plan"
                [ "$at" -gt "$last" ] || fail "$word comes too early"
                last=$at
        done
}
order 'unmount +/srv/inner' 'loop +loop' "unmount +$mnt" 'claim +pmem0' 'unbind +namespace0.0'
order 'unmount +/srv/lv' 'deactivate +vg-lv' 'claim +pmem1' 'unbind +namespace1.0'
grep -q "$app" /run/plan

note "and all of it goes"
pmemremovectl remove -y --mode=graceful ndbus0
assert_gone namespace0.0
assert_gone namespace1.0
must_fail grep -q pmem /proc/swaps
