# SPDX-License-Identifier: LGPL-2.1-or-later
# Device-dax that serves as RAM: every block goes offline first, and comes online again in the same zone when the removal
# is undone. Unbound while it is online it would be lost until the next reboot.
# lab: kernel=new,old config=two timeout=200
# lab: allow-oops page dumped because: unmovable page
# matrix: devdax in system-ram mode (kmem) | graceful | offline, unbound; online in the same zone again on rollback
# matrix: devdax in system-ram mode (kmem) | any | a block that stays is named, everything is online again

memory() {
        local block
        for block in /sys/devices/system/memory/memory*; do
                printf '%s %s %s\n' "${block##*/}" "$(cat "$block/state")" "$(cat "$block/valid_zones")"
        done
        readlink /sys/bus/dax/devices/dax1.0/driver
        world
}

ram() {
        grep -c 'System RAM (kmem)' /proc/iomem || true
}

ndctl create-namespace -f -e namespace1.0 -m devdax >/dev/null
echo offline >/sys/devices/system/memory/auto_online_blocks
# A device that has just come is busy for a moment.
udevadm settle
wait_for 'daxctl reconfigure-device -m system-ram dax1.0' 20
[ "$(ram)" = 1 ]
block=$(memory | sed -n 's/^memory\([0-9]*\) online Movable$/\1/p' | tail -n 1)
# One that was offline before stays so.
echo offline >"/sys/devices/system/memory/memory$((block - 1))/state"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
memory >/run/before
pmemremovectl plan namespace1.0

note "undone in the unbind, which nobody can interrupt"
crash 'begin.* step=unbind ' worker
request namespace1.0
crashed
result_of
[ "$result" = failed ] || fail "$result"
memory | diff /run/before - || fail "not as before"

note "undone in the middle"
crash 'progress .*memory blocks are offline' worker
request namespace1.0
crashed
result_of
[ "$result" = failed ] || fail "$result"
memory | diff /run/before - || fail "not as before"

note "a block in use by the kernel itself"
echo online_kernel >"/sys/devices/system/memory/memory$((block - 6))/state" 2>/dev/null || {
        echo offline >"/sys/devices/system/memory/memory$((block - 6))/state"
        echo online_kernel >"/sys/devices/system/memory/memory$((block - 6))/state"
}
# Something of it is used.
cat /usr/bin/* >/dev/null
memory >/run/with-kernel
request namespace1.0
result_of
[ "$result" != done ] || fail "the kernel used nothing of it"
property Error | grep -q "memory$((block - 6))"
memory | diff /run/with-kernel - || fail "not as before"
[ "$(ram)" = 1 ]
