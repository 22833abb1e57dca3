# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory that the firmware calls persistent (e820): page-mapped without a pfn device, the driver on the namespace itself.
# Its bus comes with its driver here, so the NVDIMM keeps the names it has elsewhere.
# lab: kernel=new,old config=legacy timeout=120
# matrix: legacy page-mapped namespace without a pfn device | graceful | done; mounted again after a crash in the unbind
# matrix: legacy page-mapped namespace without a pfn device | forced | 6.12: killed by pre-remove; 6.1: refused

modprobe nd_e820
wait_for '[ -b /dev/pmem1 ]' 10
udevadm settle
[ "$(readlink -f /sys/bus/nd/drivers/nd_pmem/namespace1.0)" ]
[ "$(cat /sys/block/pmem1/queue/dax)" = 1 ]
make_xfs /dev/pmem1
mount_pmem /dev/pmem1
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before
crash 'begin.* step=unbind ' worker
request "$mnt"
crashed
result_of
[ "$result" = failed ] || fail "$result"
world | diff /run/before -
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
if [ "$(uname -r | cut -d. -f1,2)" = 6.1 ]; then
        refused_as NotSupported namespace1.0 mode s forced
        is_alive "$app"
        request ndbus1
        wait_removal done
        [ "$(property Road)" = 's "kill"' ]
else
        request ndbus1 mode s forced
        wait_removal done
        kernel_said "Sending SIGBUS to pmemapp:$app" | head -n 1
fi
must_fail is_alive "$app"
must_fail is_mounted
assert_gone namespace1.0
[ ! -e /sys/bus/nd/devices/region1/driver ]
[ -b /dev/pmem0 ]
ndctl enable-region region1
wait_for 'is_bound namespace1.0' 10
udevadm settle
mount_pmem /dev/pmem1
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
