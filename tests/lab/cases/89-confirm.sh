# SPDX-License-Identifier: LGPL-2.1-or-later
# A removal that waits for a yes: it comes, it does not come, it is a no, the daemon dies, whoever asked goes away.
# lab: kernel=new config=one timeout=240
# matrix: held before the commit point, confirmed | forced | done
# matrix: held before the commit point, nobody confirms | forced | undone, and says that nobody confirmed
# matrix: who asked for it leaves, with --bind; without | forced | undone; goes on

# ends RESULT: and everything is as before.
ends() {
        result_of
        [ "$result" = "$1" ] || fail "$result, not $1"
        as_before
        clean_behind
}

# hold [OPTION]...: by the client, in the background; its pid in $client, the removal in $removal.
n=0
hold() {
        pmemremovectl remove -y --mode=forced "$@" namespace0.0 >/run/client 2>&1 </dev/null &
        client=$!
        n=$((n + 1))
        removal=$bus_path/removal/$n
        wait_for 'property State' 30
}

# leaves: the client is killed as hard as can be.
leaves() {
        kill -KILL "$client"
        wait "$client" 2>/dev/null || true
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeBudget=10min'
start_daemon
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
world >/run/before

note "nobody confirms"
hold --hold --confirm-timeout=2s
code=0
wait "$client" || code=$?
tail -n 2 /run/client
[ "$code" -eq 6 ] || fail "exit status $code, not 6"
grep -q 'nobody confirmed in time' /run/client
ends timed-out
property Error | grep -q 'nobody confirmed in time'
tell_fails Cancelled Confirm
tell_fails Cancelled Extend t 1

note "the time of the whole removal ends while it waits"
hold --hold --timeout=10s
ends timed-out
property Error | grep -q 'nobody confirmed in time'

note "more time, also absurdly much"
hold --hold --confirm-timeout=8s
reaches waiting
before=$(property Deadline)
tell Extend t 600000000
[ $(($(property Deadline | cut -c3-) - ${before#t })) -gt 590000000 ]
sleep 8.5
[ "$(property State)" = 's "waiting"' ]
tell Extend t 18446744073709551615
tell Extend t 18446744073709551615
[ "$(property Deadline)" = 't 0' ]
[ "$(property State)" = 's "waiting"' ]
note "a no"
pmemremovectl cancel "${removal##*/}"
tell_fails Cancelled Confirm
ends cancelled

note "the daemon dies while it waits, with nothing frozen"
hold --hold
reaches waiting
wait_for '! is_frozen' 20
kill -KILL "$(systemctl show -P MainPID pmemremoved)"
ends cancelled
code=0
wait "$client" || code=$?
[ "$code" -eq 9 ] || fail "the client says $code: $(cat /run/client)"
tell_fails Cancelled Confirm

note "who asked leaves, and is bound: while it waits"
hold --hold --bind
reaches waiting
leaves
ends cancelled
records "$removal" | grep -q 'its caller left the bus'
note "while it drains"
conf '[Policy]' 'DrainSignals=SIGTERM:1h' 'FreezeBudget=10min'
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload
hold --bind
reaches draining
tell_fails NotSupported Confirm
leaves
ends cancelled
note "at once"
request namespace0.0 bind-to-caller b true
n=$((n + 1))
ends cancelled
ctl_refused 2 remove -y --bind --no-block namespace0.0

note "and is not: it goes on, and ends with a yes, of which one is enough"
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeBudget=10min'
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload
hold --hold
reaches waiting
leaves
sleep 0.5
[ "$(property State)" = 's "waiting"' ]
pmemremovectl confirm "${removal##*/}"
# Another one comes too late, whatever it meets.
tell Confirm 2>/run/out && fail "confirmed twice"
grep -qE 'does not wait|past its commit' /run/out || fail "$(cat /run/out)"
wait_removal done
removed
tell_fails PastCommit Confirm
tell_fails PastCommit Extend t 1
sleep 1
pmemremovectl wait "${removal##*/}" | tee /run/out
took=$(($(property EndedUSec | cut -c3-) - $(property StartedUSec | cut -c3-)))
[ "$took" -gt 500000 ]
must_fail grep -qE ' 0(\.0)? s' /run/out
bring_back

note "past the commit point nobody's leaving counts"
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
spawn_idle 200
hold --bind
wait_for 'grep -q "^committed" /run/pmemremoved/${removal##*/}.ledger' 30
leaves
wait_removal done
removed
