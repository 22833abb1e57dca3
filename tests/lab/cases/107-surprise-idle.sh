# SPDX-License-Identifier: LGPL-2.1-or-later
# The memory goes away while nobody asked for it: by sysfs, with its region, with its whole bus, unused. Noticed without
# a snapshot, and told once, with those who held it. CleanDeadMounts= unmounts what is left when that is safe.
# lab: kernel=new config=two timeout=400 ci=no
# matrix: somebody else takes the memory away, nobody removes it | - | told as a surprise, with its holders

surprise=2e8fbc1ebcfb4b09ba340553c73e8810

# unbind DRIVER DEVICE
unbind() {
        echo "$2" >"/sys/bus/nd/drivers/$1/unbind"
}

n_told() {
        journalctl -q --no-pager -o cat MESSAGE_ID=$surprise | grep -c namespace0.0 || true
}

# Emulated, and udev's workers come first: a second on a real machine.
noticed() {
        local since=${EPOCHREALTIME/./} gone before
        before=$(n_told)
        "$@"
        gone=${EPOCHREALTIME/./}
        wait_for 'grep -A 4 DeviceRemoved /run/signals | grep -q surprise' 10
        echo "$*: it took $(((gone - since) / 1000)) ms, noticed $(((${EPOCHREALTIME/./} - gone) / 1000)) ms later"
        wait_for "[ \$(n_told) -gt $before ]" 10
        journalctl -q --no-pager -o cat MESSAGE_ID=$surprise | grep namespace0.0 | tail -n 1 | tee /run/said
}

can_be_removed() {
        wait_for '[ "$(busctl get-property $bus_name $bus_path/device/namespace0_2e0 $bus_name.Device CanRemove)" = "s \"yes\"" ]' 90
}

# Its object goes as well where the kernel has no such device any more.
is_away() {
        { busctl get-property "$bus_name" "$bus_path/device/namespace0_2e0" "$bus_name.Device" CanRemove 2>&1 || true; } |
                grep -qE '"removed"|Unknown object'
}

# told_once: not by the event, and then by the snapshot again.
told_once() {
        wait_for is_away 90
        [ "$(grep -A 4 DeviceRemoved /run/signals | grep -c 'OBJECT_PATH.*device/namespace0_2e0')" -eq 1 ] ||
                fail "told more than once: $(cat /run/signals)"
}

# A snapshot may come as late as nine times what the last one took.
in_use() {
        mount_pmem
        start_app --size=8 --ack=/run/ack "$mnt/data"
        wait_for 'busctl get-property $bus_name $bus_path/device/namespace0_2e0 $bus_name.Device Holders | grep -q mount' 90
        : >/run/signals
}

# Bound again before the dead mount is unmounted, or that can oops: nobody synced the mapped file (case 04).
come_back() {
        wait_for '! is_alive $app' 10
        "$@"
        wait_for 'is_bound namespace0.0' 10
        udevadm settle
        umount "$mnt"
        mount_pmem
        /lab/pmemapp --verify --ack=/run/ack "$mnt/data"
        umount "$mnt"
        rm -f /run/ack
        can_be_removed
}

start_daemon
daemon=$(systemctl show -P MainPID pmemremoved)
listen

note "its driver is taken off under a mounted filesystem"
in_use
noticed unbind nd_pmem "$(bound_device namespace0.0)"
grep -q "mount $mnt" /run/said
told_once
come_back bind_again namespace0.0

note "and once more, after it has come back"
in_use
noticed unbind nd_pmem "$(bound_device namespace0.0)"
told_once
come_back bind_again namespace0.0

note "its region goes with it"
in_use
noticed unbind nd_region region0
told_once
come_back ndctl enable-region region0

note "unused"
can_be_removed
: >/run/signals
noticed ndctl disable-namespace namespace0.0
grep -q 'nobody was known' /run/said
told_once
bind_again namespace0.0

# cleaned: unmounted by the daemon, and nothing is lost.
cleaned() {
        wait_for '! is_mounted' 60
        wait_for is_alone 10
        mount_pmem
        /lab/pmemapp --verify --ack=/run/ack "$mnt/data"
        umount "$mnt"
        rm -f /run/ack
}

note "CleanDeadMounts: not before the memory is back"
conf '[Policy]' 'CleanDeadMounts=yes'
systemctl reload pmemremoved
in_use
unbind nd_pmem "$(bound_device namespace0.0)"
told_once
wait_for '! is_alive $app' 10
sleep 3
is_mounted || fail "it was unmounted without its memory"
bind_again namespace0.0
cleaned

note "... nobody is killed for it, who is in the way is named"
in_use
# shellcheck disable=SC2217 # it holds the file
sleep infinity <"$mnt/data" &
holder=$!
unbind nd_pmem "$(bound_device namespace0.0)"
told_once
wait_for '! is_alive $app' 10
bind_again namespace0.0
wait_for 'journalctl -q -o cat -u pmemremoved | grep "dead mounts of namespace0.0.*in use by $holder (sleep)"' 90
is_alive "$holder" || fail "it was killed for that"
is_mounted
kill "$holder"
wait "$holder" || true
cleaned

note "and at once where no page can have been mapped"
ndctl destroy-namespace -f namespace1.0 2>/dev/null
ndctl create-namespace -r region1 -m sector -s 128M >/dev/null
udevadm settle
make_ext4 /dev/pmem1s
mount /dev/pmem1s "$mnt"
echo x >"$mnt/x"
wait_for 'busctl get-property $bus_name $bus_path/device/namespace1_2e0 $bus_name.Device Holders | grep -q mount' 90
unbind nd_pmem "$(basename "$(dirname "$(grep -l namespace1.0 /sys/bus/nd/devices/btt*/namespace)")")"
wait_for '! is_mounted' 20
wait_for 'journalctl -q -o cat -u pmemremoved | grep -qx "The dead mounts of namespace1.0.* were unmounted: $mnt."' 20

note "the firmware's device that all of it hangs from"
can_be_removed
: >/run/signals
all() {
        local device
        for device in /sys/bus/*/drivers/nfit/ACPI0012:*; do
                echo "${device##*/}" >"${device%/*}/unbind"
        done
}
noticed all
[ ! -e /sys/bus/nd/devices/region0 ] || fail "it is still there"
wait_for 'grep -A 12 InterfacesRemoved /run/signals | grep -q device/region0' 20
[ "$(systemctl show -P MainPID pmemremoved)" = "$daemon" ] || fail "the daemon died"
