# SPDX-License-Identifier: LGPL-2.1-or-later
# The example client, a service, closes its pool when it is told to and opens it again: it is never stopped or signalled, and
# what it called durable is there, whether the removal succeeds, is cancelled, or its daemon dies.
# lab: kernel=new config=one timeout=180
# matrix: a client that holds a delay lock | graceful | closed in time, never stopped or signalled; opens again

log=/run/pool.log

# The last record that the client called durable.
durable() {
        sed -n 's/^durable //p' "$log" | tail -n 1
}

# How often it has opened its pool, and closed it.
count() {
        grep -c "^$1" "$log" || true
}

writes() {
        local before
        before=$(durable)
        wait_for "[ \$(durable) -gt ${before:-0} ]" 20
}

# It has opened again, number $1, and not one record that was durable is missing: it went on where it was.
opened_again() {
        wait_for "[ \$(count opened) -eq $1 ]" 20
        writes
        awk '$1 == "durable" { if ($2 != last + 1) exit 1; last = $2 }
                /^opened with/ && NR > 1 && $3 != last { exit 1 }' "$log" || fail "records are missing: $(grep -n -B 1 -A 1 '^opened' "$log")"
        [ -r "/proc/$app/maps" ] || fail "it is dead"
        grep -q "$mnt/pool" "/proc/$app/maps"
}

has_lock() {
        pmemremovectl inhibitors | grep -q 'pool.*delay\|delay.*pool'
}

[ -x /lab/pool ] || skip "the example was not built"
mount_pmem
fallocate -l 4M "$mnt/pool"
conf '[Policy]' 'DelayMax=30s'
start_daemon
systemd-run --quiet --unit=pool --property=StandardOutput=file:"$log" --property=StandardError=inherit \
        /lab/pool namespace0.0 "$mnt/pool"
app=$(systemctl show -P MainPID pool)
wait_for '[ -n "$(durable)" ]' 20
has_lock
world >/run/before

note "cancelled before the commit point: closed, and opened again"
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
[ "$(count closed)" -eq 1 ] || fail "it was not told"
must_fail has_lock
tell Cancel
wait_removal cancelled
[ "$(property Killed)" = 'a(usss) 0' ]
world | diff /run/before -
opened_again 2
has_lock
clean_behind

note "the daemon dies when it is closed"
crash 'begin.*step=unmount ' daemon worker
request namespace0.0 mode s graceful
crashed
result_of
[ "$result" = failed ] || [ "$result" = cancelled ]
world | diff /run/before -
opened_again 3
wait_for has_lock 10
clean_behind
systemctl reset-failed pmemremoved

note "the daemon dies when nothing is under way: the lock is still there"
kill -KILL "$(systemctl show -P MainPID pmemremoved)"
wait_for 'has_lock' 20
writes
[ "$(count opened)" -eq 3 ]
systemctl reset-failed pmemremoved

note "removed, without waiting for DelayMax= and without a signal"
request namespace0.0
SECONDS=0
wait_removal done
[ "$SECONDS" -lt 25 ] || fail "it waited for a lock that was given away"
[ "$(property Road)" = 's "graceful"' ]
[ "$(property Killed)" = 'a(usss) 0' ]
wait_for 'records "$removal" | grep ": removed"' 10
if records "$removal" | grep 'was sent'; then fail "it was signalled"; fi
assert_gone namespace0.0
must_fail is_mounted
is_alive "$app"
[ "$(count closed)" -eq 3 ]

note "and the memory comes back"
bind_again namespace0.0
mount_pmem
opened_again 4
has_lock
systemctl stop pool
[ "$(tail -n 1 "$log")" = closed ]
