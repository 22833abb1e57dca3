# SPDX-License-Identifier: LGPL-2.1-or-later
# A writer that is stuck inside the filesystem holds up FIFREEZE, which nothing can interrupt. The daemon answers all
# the same, tells why, and when the writer is let go the filesystem is thawed, whoever died meanwhile.
# lab: kernel=new config=two timeout=300
# story: udisks #871

start_stuck() {
        rm -f /run/go
        /lab/stuckwriter "$mnt/stuck" /run/go >/run/stuck </dev/null &
        stuck=$!
        wait_for 'grep -q stuck /run/stuck' 10
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeTimeout=2s'
start_daemon
start_app --on-term=ignore --fsync --ack=/run/ack "$mnt/data"
world >/run/before

note "the time-out is told at once, and kept when the writer goes"
start_stuck
request namespace0.0 mode s forced
wait_for 'property Progress | grep -q freeze_super' 60
for _ in 1 2 3; do
        busctl --timeout=1 get-property "$bus_name" "$removal" "$bus_name.Removal" State
        sleep 1
done
[ "$(property State)" = 's "rolling-back"' ]
touch /run/go
wait "$stuck"
result_of
[ "$result" = timed-out ]
as_before
clean_behind

while IFS=: read -r who back; do
        note "$who killed while FIFREEZE hangs"
        start_stuck
        # shellcheck disable=SC2086 # several roles
        crash 'progress .*the kernel waits for a writer' $who
        request namespace0.0 mode s forced
        crashed
        wait_for 'grep -qs freeze_super /proc/[0-9]*/stack' 5
        if [ -n "$back" ]; then wait_for 'property State' 30; fi
        touch /run/go
        wait "$stuck"
        wait_for '! is_frozen' 10
        ended_well
        systemctl reset-failed pmemremoved
done <<'END'
worker:
guardian worker daemon:
worker daemon:the daemon comes back meanwhile
END
