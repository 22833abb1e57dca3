# SPDX-License-Identifier: LGPL-2.1-or-later
# The kernel's modules for the memory go while the daemon is idle, not while a removal holds the disk, and come back; a
# daemon starts without them.
# lab: kernel=new config=two timeout=150
# matrix: the kernel's modules are unloaded | any | idle: they go and come back; under way: the kernel refuses

modules=(nd_pmem dax_pmem nd_btt nfit libnvdimm)
unload() {
        modprobe -r "$@"
}

answers_nothing_there() {
        refused_as NoSuchTarget namespace0.0
        pmemremovectl list
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:1s'
start_daemon
world >/run/before

note "under way: the claim holds the disk"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
must_fail unload nd_pmem
tell Cancel
wait_removal cancelled
as_before

note "idle"
umount "$mnt"
wait_for 'unload "${modules[@]}"' 20
[ ! -e /sys/bus/nd ] || fail "something holds libnvdimm: $(lsmod | grep nvdimm)"
wait_for answers_nothing_there 20

note "a start without them"
systemctl restart pmemremoved
answers_nothing_there
pmemremovectl status

note "they come back"
modprobe -a nfit nd_pmem
udevadm settle
wait_for 'is_bound namespace0.0' 20
wait_for 'resolves namespace0.0 namespace0.0' 20
request namespace0.0
wait_removal done
assert_gone namespace0.0
