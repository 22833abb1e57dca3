# SPDX-License-Identifier: LGPL-2.1-or-later
# The kernel's modules for the memory go while the daemon is idle, not while a removal holds the disk, and come back; a
# daemon starts without them.
# lab: kernel=new config=two timeout=150
# matrix: the kernel's modules are unloaded | any | idle: they go and come back; under way: the kernel refuses

# What uses libnvdimm goes first, whatever it is on this kernel; a region or DIMM that is enabled keeps its bus's module
# (nvdimm_bus_probe(), drivers/nvdimm/bus.c).
unload_all() {
        local m
        ndctl disable-region all
        ndctl disable-dimm all
        for m in nd_pmem dax_pmem nd_btt nd_e820 virtio_pmem cxl_pmem cxl_acpi nfit; do
                [ ! -e "/sys/module/$m" ] || modprobe -r "$m" || return
        done
        [ ! -e /sys/module/libnvdimm ] || modprobe -r libnvdimm
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
must_fail modprobe -r nd_pmem
tell Cancel
wait_removal cancelled
as_before

note "idle"
umount "$mnt"
udevadm settle
unload_all || { sleep 1; unload_all; } || fail "something holds them: $(lsmod | grep -E 'nvdimm|nd_|dax|nfit')"
[ ! -e /sys/bus/nd ]
wait_for answers_nothing_there 20

note "a start without them"
systemctl restart pmemremoved
answers_nothing_there
pmemremovectl status

note "they come back"
modprobe -a nfit nd_pmem
udevadm settle
ndctl enable-dimm all
ndctl enable-region all
wait_for 'is_bound namespace0.0' 20
wait_for 'resolves namespace0.0 namespace0.0' 20
request namespace0.0
wait_removal done
assert_gone namespace0.0
