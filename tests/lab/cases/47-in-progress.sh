# SPDX-License-Identifier: LGPL-2.1-or-later
# While one removal drains: what is related waits its turn, the daemon answers, a second daemon is no danger. Then somebody
# unbinds the device under a filesystem that nobody warns: unmounting it now would oops, so it is left alone, and said.
# lab: kernel=new config=two timeout=150

make_ext4
mount_pmem
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:90s' 'MaxParallel=1'
start_daemon
world >/run/before
request namespace0.0 mode s graceful
wait_for 'property State | grep -q draining' 10
for name in namespace0.0 pmem0 "$mnt" region0 nmem0 ndbus0; do refused_as InProgress "$name"; done
refused_as LimitExceeded namespace1.0
ctl_refused 5 remove -y region0
pmemremovectl plan namespace0.0 >/dev/null
pmemremovectl removals | grep -q draining

note "a second daemon leaves the first alone"
code=0
timeout 30 /usr/sbin/pmemremoved >/run/out 2>&1 || code=$?
cat /run/out
case $code in 0 | 124) fail "exit status $code" ;; esac
property State | grep -q draining || fail "the removal is not what it was: $(property State)"
systemctl is-active pmemremoved

note "cancelled: as it was"
pmemremovectl cancel 1
wait_removal cancelled
world | diff /run/before -
is_alive "$app"

note "the device goes away while it drains"
request namespace0.0 mode s graceful
wait_for 'property State | grep -q draining' 10
bound_device namespace0.0 >/sys/bus/nd/drivers/nd_pmem/unbind
wait_removal failed
property Error | tee /run/error
grep -q Vanished /run/error
is_mounted || fail "it was unmounted"
assert_gone namespace0.0
bind_again namespace0.0
kill -KILL "$app" 2>/dev/null || true
wait_for "! is_alive $app" 5
umount "$mnt"
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
