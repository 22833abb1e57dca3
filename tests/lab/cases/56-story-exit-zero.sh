# SPDX-License-Identifier: LGPL-2.1-or-later
# A refusal is never a success: not by exit status, not in JSON, not on the bus, not for one target among several.
# lab: kernel=new config=two timeout=90
# story: ndctl disable-region

mount_pmem
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms'
start_daemon
world >/run/before

note "the story: nothing was done, and 0"
ndctl disable-region region0 2>&1 | tee /run/out
grep -q 'disabled 0 regions' /run/out || note "this ndctl has learnt it"
world | diff /run/before -

note "here: each way to ask says no"
ctl_refused 5 remove -y --mode=graceful region0
code=0
pmemremovectl remove -y --mode=graceful --json=short region0 >/run/json 2>/dev/null || code=$?
[ "$code" -eq 5 ] || fail "exit status $code with JSON"
jq -e '.removals[0]."exit-status" == 5' /run/json
# Accepted is not done: without waiting the answer is the object, and Wait says what became of it.
request region0 mode s graceful
wait_removal refused
ctl_refused 5 wait "${removal##*/}"
as_before

note "one of several is refused: the other one goes, and the status is not 0"
ctl_refused 5 remove -y --mode=graceful region0 namespace1.0
assert_gone namespace1.0
bind_again namespace1.0
ctl_refused 3 remove -y --mode=graceful namespace1.0 namespace7.0
assert_gone namespace1.0
bind_again namespace1.0
as_before
clean_behind
