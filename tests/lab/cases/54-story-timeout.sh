# SPDX-License-Identifier: LGPL-2.1-or-later
# A time-out stops and undoes. It never means to go on with the next harder thing, although the policy has one.
# lab: kernel=new config=one timeout=60
# story: powerpc-utils #31
# matrix: fsdax with pfn device, the time allowed is over | auto | undone, nobody was killed

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:1h' 'LastSignal=SIGKILL' 'FreezeBudget=10min'
start_daemon
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before

note "auto could climb to the forced road or to SIGKILL"
pmemremovectl plan namespace0.0 | tee /run/plan
grep -q freeze /run/plan || fail "the plan has no second road: this case shows nothing"
request namespace0.0 timeout-usec t 1500000
wait_removal timed-out
property Error | grep -q TimedOut
[ "$(property Killed)" = 'a(usss) 0' ] || fail "killed: $(property Killed)"
as_before
clean_behind
if kernel_said 'about to be removed'; then fail "the device was unbound"; fi

note "the client tells it by its exit status"
ctl_refused 6 remove -y --timeout=1500ms namespace0.0
as_before
clean_behind
