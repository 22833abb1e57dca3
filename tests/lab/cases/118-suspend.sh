# SPDX-License-Identifier: LGPL-2.1-or-later
# A suspend past everybody's locks. With a writer asleep in the frozen filesystem the kernel lets it not pass; without
# one, deadlines go on while the machine sleeps, and what has expired is undone as soon as it is awake.
# lab: kernel=new config=two timeout=150 ci=no
# matrix: suspended while frozen, past the locks | forced | refused by the kernel, or thawed on awaking

# rest SECONDS
rest() {
        local before after
        before=$(python3 -c 'import time; print(int(time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()))')
        rtcwake -m mem -s "$1" >/dev/null
        after=$(python3 -c 'import time; print(int(time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()))')
        note "slept for $((after - before)) s"
        [ $((after - before)) -ge $(($1 - 3)) ] || fail "the machine did not sleep"
}

echo 2000 >/sys/power/pm_freeze_timeout
mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeTimeout=5s' 'UnbindTimeout=1s'
start_daemon
start_app --on-term=ignore --ack=/run/ack "$mnt/data"
world >/run/before

note "a writer sleeps in the frozen filesystem"
crash --stop 'frozen ' worker
request namespace0.0 mode s forced
crashed
wait_for '[ "$(state_of $app)" = D ]' 10
! (echo mem >/sys/power/state) 2>/run/refused || fail "it slept"
grep -i 'busy' /run/refused
kernel_said 'Freezing user space processes failed'
tell Cancel || true
wait_for '! is_frozen' 30
kill -CONT "$(pgrep -of '^pmemremoved --run')"
result_of
as_before
clean_behind

note "nobody does: it sleeps, and longer than the deadline"
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeTimeout=12s' 'UnbindTimeout=3s'
systemctl reload pmemremoved
kill -STOP "$app"
crash --stop 'frozen ' worker
request namespace0.0 mode s forced timeout-usec t 15000000
crashed
rest 18
awake=${EPOCHREALTIME/./}
timeout -s KILL 8 sh -c "echo x >'$mnt/probe'" || fail "still frozen"
took=$((${EPOCHREALTIME/./} - awake))
note "thawed $took us after awaking"
[ "$took" -lt 5000000 ]
wait_for 'records "$removal" | grep "its time is over"' 5
kill -CONT "$app"
kill -CONT "$(pgrep -of '^pmemremoved --run')"
result_of
[ "$result" = timed-out ]
as_before
clean_behind
