# SPDX-License-Identifier: LGPL-2.1-or-later
# Calls that sleep in the kernel until their storage answers, here a suspended device-mapper device: the remount to
# read-only, the umount. The daemon answers all the same and says who sleeps where; a cancel is accepted and kept once the
# kernel returns, and everything is as before; so is what a dead worker, or a dead daemon, left there.
# lab: kernel=new config=two timeout=400
# matrix: a umount that sleeps in the kernel | graceful | told with its stack; undone when the kernel returns

# measured WHEN: what the caller saw since it was started.
measured() {
        kill "$caller"
        wait "$caller" || fail "the caller failed"
        echo "$1: $(cat /run/counts)"
        read -r _ _ _ longest _ average </run/counts
        rm /run/counts
}

measure() {
        /lab/caller /run/counts </dev/null &
        caller=$!
}

# Everything that is told while it sleeps.
sleeping() {
        wait_for 'property Progress | grep -q "sleeps in the kernel\|sleeps there"' 20
        property Progress
}

mount_slow
conf '[Policy]' 'DrainSignals=SIGTERM:1h'
start_daemon
measure
sleep 3
measured idle
idle=${average%.*}

# begin PATTERN: a removal whose worker is stopped at that line; the device suspended, the worker let go.
begin() {
        world >/run/before
        crash --stop "$1" worker
        request namespace0.0 mode s graceful
        crashed
        suspend_slow
        measure
        kill -CONT "$(pgrep -of '^pmemremoved --run')"
}

resume() {
        dmsetup resume slow
}

# undone RESULT
undone() {
        measured "while it slept"
        # Emulated, and other machines run beside this one: 100 ms on a real one.
        [ "$longest" -lt 2500 ] || fail "the daemon did not answer for $longest ms"
        [ "${average%.*}" -lt $((idle * 4 + 100)) ] || fail "it answers after $average ms, and idle after $idle ms"
        result_of
        [ "$result" = "$1" ]
        as_before
        clean_behind
}

while IFS=: read -r what pattern; do
        note "$what sleeps, and is cancelled"
        begin "$pattern"
        sleeping
        tell Cancel
        sleep 2
        [ "$(property Cancelable)" = 'b false' ]
        property State
        property Progress | tee /run/progress
        grep -q 'as soon as the kernel' /run/progress
        answers
        resume
        undone cancelled
done <<'END2'
the remount:begin.*step=readonly
the umount:begin.*step=unmount
END2

