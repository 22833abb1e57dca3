# SPDX-License-Identifier: LGPL-2.1-or-later
# Nobody waits in silence: who is awaited is told at once and again; a cancel, a time-out and a dead daemon end the wait.
# lab: kernel=new config=two timeout=150
# story: kubectl #172
# matrix: fsdax, the daemon dies while it waits for a user | any | undone

# under_way: the next removal waits for $app; its path in $removal.
n=0
under_way() {
        n=$((n + 1))
        wait_for "grep -q '^signalled $app ' /run/pmemremoved/$n.ledger" 30
        removal=$bus_path/removal/$n
        reaches draining
}

ends() {
        result_of
        [ "$result" = "$1" ] || fail "$result, not $1"
        as_before
        [ "$(property Awaited)" = 'a(usss) 0' ]
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:1h SIGKILL:1h'
start_app --on-term=ignore --size=8 --ack=/run/ack "$mnt/data"
start_daemon
world >/run/before

note "a client in a pipe"
pmemremovectl remove -y --mode=graceful namespace0.0 </dev/null >/run/out 2>&1 &
client=$!
under_way
wait_for "grep -q 'namespace0.0: waiting for $app (pmemapp); at most 1h more' /run/out" 2
property Awaited | grep -q "^a(usss) 1 $app \"pmemapp\" \".*\" \".*dax.*\""
property Progress | grep -q "waiting for $app"
records "$removal" | grep "waiting for $app (pmemapp); at most 1h more"
kill -STOP "$app"
wait_for "grep -q 'waiting for $app (pmemapp); at most 59min 5' /run/out" 10
property Awaited | grep -q stopped
kill -CONT "$app"
tell Cancel
wait "$client" && fail "a cancelled removal is no success"
ends cancelled

note "a client on a terminal"
TERM=linux script -qec 'stty rows 24 cols 200; pmemremovectl remove -y --mode=graceful namespace0.0' /run/typescript </dev/null >/dev/null &
under_way
wait_for "grep -q 'waiting for $app pmemapp.*: dax' /run/typescript" 5
tell Cancel
wait_for 'grep -q cancelled /run/typescript' 10
ends cancelled

note "the time of the last rung is over"
conf '[Policy]' 'DrainSignals=SIGTERM:300ms SIGCONT:300ms' Mode=graceful
systemctl reload pmemremoved
code=0
pmemremovectl remove -y --json=short namespace0.0 </dev/null >/run/out || code=$?
n=$((n + 1))
removal=$bus_path/removal/$n
[ "$code" -eq 5 ] || fail "exit status $code"
jq -e '.removals[0].awaited == []' /run/out
ends refused

note "the daemon dies in the middle of a rung"
conf '[Policy]' 'DrainSignals=SIGTERM:1h SIGKILL:1h'
systemctl reload pmemremoved
crash "signalled $app " daemon
request namespace0.0
crashed
ended_well
[ "$(property Awaited)" = 'a(usss) 0' ]
[ -z "$(records "$removal" 77e08d1a95a148ca8d95d6e591fa00a4)" ]
