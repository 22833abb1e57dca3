# SPDX-License-Identifier: LGPL-2.1-or-later
# Cancel, time-outs and Confirm: before the commit point everything is undone, past it nothing can be.
# lab: kernel=new config=two timeout=300
# story: powerpc-utils #31

ends() {
        result_of
        [ "$result" = "$1" ] || fail "$result, not $1"
        as_before
        clean_behind
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:1h' 'FreezeBudget=10min'
start_daemon
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
world >/run/before

note "cancel during the drain"
request namespace0.0 mode s forced
reaches draining
tell_fails NotSupported Confirm
tell Cancel
ends cancelled
tell Cancel
tell_fails Cancelled Extend t 1

note "the time allowed is over"
request namespace0.0 timeout-usec t 2000000
ends timed-out

note "more time"
request namespace0.0 timeout-usec t 3000000
before=$(property Deadline)
tell Extend t 600000000
[ $(($(property Deadline | cut -c3-) - ${before#t })) -gt 590000000 ]
sleep 3.5
[ "$(property State)" = 's "draining"' ]
tell Cancel
ends cancelled

note "nobody confirms"
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeBudget=10min'
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload
request namespace0.0 mode s forced hold-before-commit b true confirm-timeout-usec t 8000000
reaches waiting
wait_for '! is_frozen' 20
[ "$(property State)" = 's "waiting"' ]
ends timed-out

note "somebody says no"
request namespace0.0 mode s forced hold-before-commit b true
reaches waiting
tell Cancel
ends cancelled

note "somebody says yes, and then it is too late to cancel"
spawn_idle 200
request namespace0.0 mode s forced hold-before-commit b true confirm-timeout-usec t 60000000
reaches waiting
crash 'kernel '
tell Confirm
crashed
tell_fails PastCommit Cancel
tell_fails PastCommit Extend t 1000000
wait_removal done
tell_fails PastCommit Cancel
removed
clean_behind
bring_back
