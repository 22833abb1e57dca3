# SPDX-License-Identifier: LGPL-2.1-or-later
# The forced road: an application that refuses to leave is killed by the kernel inside the unbind.
# lab: kernel=new config=two timeout=90
# matrix: fsdax with pfn device, XFS | forced | killed by the kernel inside the unbind

mount_pmem
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:1s'
start_daemon
console=$(cat /proc/sys/kernel/printk)
request namespace0.0 mode s forced
wait_removal done
property FrozenUSec
property Killed | grep -q "$app"
must_fail is_alive "$app"
assert_gone namespace0.0
must_fail is_mounted
kernel_said 'Device is about to be removed!'
kernel_said "Sending SIGBUS to pmemapp:$app" | head -n 1
[ "$(cat /proc/sys/kernel/printk)" = "$console" ] || fail "the console level was not restored"
records "$removal" | tee /run/story
grep -q "process $app (pmemapp.*pre-remove" /run/story || fail "the journal does not say how $app died"
must_fail pgrep -x pmr-guardian
bind_again namespace0.0
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
