# SPDX-License-Identifier: LGPL-2.1-or-later
# Success is what the kernel shows in the end, not that each step said yes: somebody brings the device back while the
# worker is held up, and the removal is not called done.
# lab: kernel=new config=one timeout=60
# story: cloud-hypervisor #8763
# matrix: the device comes back before the end | forced | partial, and said which

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeBudget=10min'
start_daemon

note "an answer is not the end: when it is said to be done, it is gone"
request namespace0.0 mode s graceful
wait_removal done
assert_gone namespace0.0
bind_again namespace0.0
mount_pmem

note "back again behind the worker's back"
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
# For an unbind that is long enough to stop the worker in.
spawn_idle 200
crash --stop 'kernel ' worker
request namespace0.0 mode s forced
crashed
wait_for '! is_bound namespace0.0' 30
wait_for '! is_alive $app' 30
bind_again namespace0.0
kill -CONT "$(pgrep -of '^pmemremoved --run')"
result_of
is_bound namespace0.0
[ "$result" = partial ] || fail "$result, and the device is there"
property Error | tee /run/error
grep -q 'pfn0\|pmem0\|namespace0.0' /run/error || fail "it does not say what is there"
ctl_refused 7 wait "${removal##*/}"
# Whether that mount is alive or dead it cannot tell any more, and leaves it to people.
umount "$mnt"
mount_pmem
/lab/pmemapp --verify --ack=/run/ack "$mnt/data"
