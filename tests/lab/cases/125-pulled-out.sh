# SPDX-License-Identifier: LGPL-2.1-or-later
# A device is pulled out by PCI, with everything that hangs from it: unused, under a mounted filesystem, while processes are
# asked to leave, while it is frozen. Noticed at once, told once as a surprise with who held it; thawed, and the
# removal's result is true. After a rescan of the bus it is there again, with its data.
# lab: kernel=new config=virtio timeout=400 ci=no
# matrix: the whole device is pulled out (PCI, virtio-pmem) | any | told as a surprise; thawed; failed: vanished

surprise=2e8fbc1ebcfb4b09ba340553c73e8810
bus=/sys/bus/pci

n_told() {
        journalctl -q --no-pager -o cat MESSAGE_ID=$surprise | grep -c '^namespace0.0' || true
}

# The write comes back when all drivers have let go; it is looked at from outside, because it may sleep.
pull() {
        local address
        address=$(readlink -f /sys/bus/nd/devices/ndbus0 | grep -o '/0000:[^/]*/virtio' | cut -d/ -f2)
        before=$(n_told)
        sh -c "echo 1 >$bus/devices/$address/remove" &
        puller=$!
        wait_for "! [ -e /sys/block/pmem0 ]" 30
        gone=${EPOCHREALTIME/./}
}

pulled() {
        wait_for "[ \$(n_told) -gt $before ]" 10
        echo "told $(((${EPOCHREALTIME/./} - gone) / 1000)) ms after its disk was gone"
        journalctl -q --no-pager -o cat MESSAGE_ID=$surprise | grep '^namespace0.0' | tail -n 1 | tee /run/said
        wait_for '! is_alive $puller' 30
        [ ! -e /sys/bus/nd/devices/region0 ] || fail "its region is still there"
}

# told_once: by the signal, too.
told_once() {
        wait_for 'grep -A 4 DeviceRemoved /run/signals | grep -q surprise' 10
        [ "$(grep -A 4 DeviceRemoved /run/signals | grep -c 'OBJECT_PATH.*device/namespace0_2e0')" -eq 1 ] ||
                fail "told more than once: $(cat /run/signals)"
}

plug_in() {
        echo 1 >$bus/rescan
        wait_for '[ -b /dev/pmem0 ] && is_bound namespace0.0' 20
        udevadm settle
}

# The dead mount goes after the memory is back (case 107); what was written is there.
come_back() {
        kill -KILL "$app" 2>/dev/null || true
        wait_for '! is_alive $app' 10
        plug_in
        umount "$mnt"
        mount_pmem
        /lab/pmemapp --verify --ack=/run/ack "$mnt/data"
        umount "$mnt"
        rm -f /run/ack
        systemctl stop pmemremoved
}

# in_use DRAIN: mounted, held, and the daemon knows it. MAP_SYNC is not for this device: a store is durable only after a flush.
in_use() {
        conf '[Policy]' "DrainSignals=SIGTERM:$1" 'FreezeBudget=10min' 'UnbindTimeout=10min'
        mount_pmem
        start_app --on-term=ignore --by-write --size=1 --ack=/run/ack "$mnt/data"
        world >/run/before
        start_daemon
        wait_for 'busctl get-property $bus_name $bus_path/device/namespace0_2e0 $bus_name.Device Holders | grep -q mount' 90
        : >/run/signals
}

# ended RESULT
ended() {
        result_of
        [ "$result" = "$1" ]
        property Error | grep -q 'somebody else'
        clean_behind
        told_once
}

modprobe virtio_pmem
plug_in
readlink -f /sys/bus/nd/devices/ndbus0 | grep /virtio || fail "this is no virtio-pmem"
make_xfs /dev/pmem0
listen

note "unused"
conf '[Policy]'
start_daemon
wait_for 'busctl get-property $bus_name $bus_path/device/namespace0_2e0 $bus_name.Device CanRemove | grep yes' 60
pull
pulled
grep -q 'nobody was known' /run/said
told_once
plug_in
systemctl stop pmemremoved

note "under a mounted filesystem"
in_use 1h
pull
pulled
grep -q "mount $mnt" /run/said
told_once
come_back

note "while processes are asked to leave"
in_use 1h
crash 'begin.*step=signal'
request namespace0.0 mode s graceful
crashed
pull
pulled
ended failed
come_back

note "while we have it frozen"
in_use 100ms
crash --stop 'frozen ' worker
request namespace0.0 mode s forced
crashed
pull
kill -CONT "$(pgrep -of '^pmemremoved --run')"
pulled
ended failed
come_back
