# SPDX-License-Identifier: LGPL-2.1-or-later
# A raw namespace, whose driver is bound to the namespace itself; one that nobody mounted.
# lab: kernel=new,old config=two timeout=120

ndctl create-namespace -f -e namespace1.0 -m raw >/dev/null
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
for fs in xfs ext4; do
        note "$fs on a raw namespace"
        "make_$fs" /dev/pmem1
        mkdir -p "$mnt"
        mount /dev/pmem1 "$mnt"
        echo intact >"$mnt/file"
        fallocate -l 8M "$mnt/swap"
        chmod 600 "$mnt/swap"
        mkswap -q "$mnt/swap"
        swapon "$mnt/swap"
        tail -f "$mnt/file" >/dev/null &
        request namespace1.0
        wait_removal done
        must_fail is_mounted
        must_fail grep -q "$mnt/swap" /proc/swaps
        assert_gone namespace1.0
        [ ! -e /sys/bus/nd/drivers/nd_pmem/namespace1.0 ]
        ndctl enable-namespace namespace1.0
        udevadm settle
        mount /dev/pmem1 "$mnt"
        grep -qx intact "$mnt/file"
        umount "$mnt"
done

note "nothing is mounted"
request namespace0.0 mode s forced
wait_removal done
assert_gone namespace0.0
