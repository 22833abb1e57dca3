# SPDX-License-Identifier: LGPL-2.1-or-later
# Two filesystems go, one after the other. Everybody is killed when the first is gone and the second frozen: recovery
# cannot go back any more and must not leave the second one frozen.
# lab: kernel=new config=two timeout=300

second=/mnt/second

make_xfs /dev/pmem1
mount_pmem
mount_pmem /dev/pmem1 "$second"
conf '[Policy]' 'DrainSignals=SIGTERM:100ms'
start_daemon
start_app --on-term=ignore --ack=/run/ack1 "$second/data"
other=$app
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before
crash '^frozen pmem1' guardian worker daemon
request ndbus0 mode s forced
crashed
result_of
[ "$result" = done ]
removed
must_fail is_alive "$other"
assert_gone namespace1.0
must_fail is_mounted "$second"
note "by its own removal, not by that of the first"
property Killed | grep -q "$other \"pmemapp\" \"[^\"]*\" \"the kernel"
clean_behind
