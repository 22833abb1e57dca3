# SPDX-License-Identifier: LGPL-2.1-or-later
# A worker that is stopped with the filesystem frozen: the guardian thaws at its deadline, and the worker that wakes up
# finds that and does not go on. Nor does one whose guardian was killed.
# lab: kernel=new config=two timeout=300
# story: qemu-ga fsfreeze

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeTimeout=2s' 'UnbindTimeout=1s'
start_daemon
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before

note "the worker is stopped"
crash --stop 'frozen ' worker
request namespace0.0 mode s forced
crashed
wait_for '! is_frozen' 10
is_writing
worker=$(pgrep -of '^pmemremoved --run')
[ "$(state_of "$worker")" = T ]
busctl --timeout=1 get-property "$bus_name" "$removal" "$bus_name.Removal" State
kill -CONT "$worker"
result_of
[ "$result" = timed-out ]
as_before
clean_behind

note "the guardian is killed"
crash 'frozen ' guardian
request namespace0.0 mode s forced
crashed
result_of
[ "$result" = failed ]
as_before
clean_behind
