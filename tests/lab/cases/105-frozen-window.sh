# SPDX-License-Identifier: LGPL-2.1-or-later
# FrozenUSec beside the longest write the world has seen: with the guardian alone, all others stopped or dead; with a
# FIFREEZE that waits; with /run full; and for a removal that is done.
# lab: kernel=new config=two timeout=300 ci=no
# story: qemu-ga fsfreeze
# matrix: worker and daemon stopped or killed, /run full | forced | the guardian thaws in time, and the window told is the one seen

start_meter() {
        rm -f /run/stall
        setsid /lab/stallmeter "$mnt/meter" /run/stall </dev/null >/dev/null 2>&1 &
        victims+=($!)
        disown
        wait_for '[ -s /run/stall ]' 10
}

# told_as_seen MINIMUM [removed]: both are at least that many microseconds, and of one order. A processor that others want,
# too, makes each of them longer at times. Of a removal more is told: the write fails as soon as the kernel has shut the
# filesystem down, and the unbind goes on.
told_as_seen() {
        local told seen
        told=$(property FrozenUSec)
        told=${told#t }
        # The write that slept is done only now.
        sleep 0.5
        read -r seen </run/stall
        note "told $told us, seen $seen us: $(awk -v a="$told" -v b="$seen" 'BEGIN { printf "%.2f", a / b }')"
        [ "$told" -ge "$1" ] || fail "told less than there was"
        [ "${2:-}" = removed ] || [ "$told" -le $((2 * seen + 300000)) ] || fail "told more than was seen"
        [ "$seen" -le $((2 * told + 300000)) ] || fail "more was seen than told"
        # Recovery without a bus leaves it to the next daemon to tell the end. The journal lies on /run, too.
        [ -e /run/filler ] || wait_for 'records "$removal" | grep -qE "is thawed after|frozen for"' 10
        : >/run/stall
}

freeze_and() {
        crash "$@"
        request namespace0.0 mode s forced
        crashed
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:100ms' 'FreezeTimeout=3s' 'UnbindTimeout=1s'
start_daemon
# The victim goes on when /run is full.
touch /root/ack /run/ack
mount --bind /root/ack /run/ack
start_app --on-term=ignore --fsync --ack=/run/ack "$mnt/data"
world >/run/before
start_meter

note "worker and daemon are stopped, and stay so: the guardian thaws at its deadline, 4 s after the freeze"
freeze_and --stop 'frozen ' worker daemon
wait_for '! is_frozen' 30
is_writing
sleep 4
pkill -KILL -f '^pmemremoved --run'
systemctl kill --kill-whom=main -s KILL pmemremoved
ended_well
[ "$result" = failed ]
told_as_seen 2000000
systemctl reset-failed pmemremoved

note "worker and daemon are killed: thawed at once, although nobody else is there for a second"
freeze_and 'frozen ' worker daemon
ended_well
told_as_seen 1
systemctl reset-failed pmemremoved

note "the worker is stopped with /run full, and killed: thawed all the same, and said so"
freeze_and --stop 'frozen ' worker
dd if=/dev/zero of=/run/filler bs=1M 2>/dev/null || true
wait_for '! is_frozen' 30
pkill -KILL -f '^pmemremoved --run'
ended_well
[ "$result" = failed ]
told_as_seen 2000000
rm /run/filler

note "FIFREEZE waits for a stuck writer: nobody else can write for that long"
/lab/stuckwriter "$mnt/stuck" /run/go >/run/stuck </dev/null &
wait_for 'grep -q stuck /run/stuck' 10
request namespace0.0 mode s forced
wait_for 'property Progress | grep -q freeze_super' 30
wait_for '[ "$(property State)" = "s \"rolling-back\"" ]' 30
touch /run/go
result_of
[ "$result" = timed-out ]
as_before
clean_behind
told_as_seen 2000000

note "removed"
request namespace0.0 mode s forced
wait_removal "done"
told_as_seen 1 removed
umount /run/ack
cp /root/ack /run/ack
bring_back

note "never frozen"
request namespace0.0 mode s graceful
wait_removal "done"
[ "$(property FrozenUSec)" = 't 0' ]
