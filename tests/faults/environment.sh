# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A case: nobody is killed, but what the daemon stands on fails: a full /run, no journald, a bus that goes, a second daemon.
# A removal that had begun comes to one of the ends of the matrix all the same, one that had not is refused and leaves nothing.
shape=forced-xfs
# shellcheck source=tests/faults/driver.sh
. /lab/faults/driver.sh

# environment NAME FUNCTION...: a row; the function does the removal and leaves its state like remove_once.
environment() {
        local name=$1 started
        shift
        started=$(now)
        disarm
        wrong=''
        "$@"
        judge_end
        printf 'row %-9s %5d ms  %-12s %s\n' "$verdict" $((($(now) - started) / 1000)) "-" "$name"
        [ "$verdict" != FAILED ] || explain
        if [ "$verdict" = removed ]; then put_up; else [ "$verdict" = as-before ] || reset; fi
}

# held_at STEP COMMAND...: a removal whose worker is stopped before that step while the command runs.
held_at() {
        local step=$1 asker worker
        shift
        arm 1 "before detail=$step by=worker whom=worker action=stop"
        last_id
        remove_once >/run/held 2>&1 &
        asker=$!
        until_true 30 test -s "$faults/1.fired" || wrong="it was not held; "
        worker=$(sed -n 's/.*worker=\([0-9]*\).*/\1/p' "$faults/1.fired")
        "$@"
        [ -z "$worker" ] || kill -CONT "$worker"
        wait "$asker" || true
        # That was a process of its own.
        last_id
        ledger=$run/$id.ledger
        until_true "$row_limit" is_reported || wrong+="the ledger is not closed; "
        until_true "$row_limit" is_quiet || wrong+="a process is left; "
        ledger_lines || true
        read_end
        same_result || true
}

# --- a full /run ---

fill() {
        dd if=/dev/zero of="$run/filler" bs=4k status=none 2>/dev/null || true
}

# A small one of its own, because the real one is shared with everybody.
small_run() {
        systemctl stop pmemremoved
        mount -t tmpfs -o size=1M,mode=700 tmpfs "$run"
        mkdir "$faults"
        start_daemon
}

big_run() {
        systemctl stop pmemremoved
        umount "$run"
        start_daemon
}

full_before() {
        fill
        ! ask >/run/answer 2>&1 || wrong="accepted on a full /run; "
        grep -q 'ledger' /run/answer || wrong+="$(cat /run/answer); "
        rm -f "$run/filler"
        result=none state=none lines=()
        ! compgen -G "$run/*.ledger" >/dev/null || wrong+="a ledger is left; "
}

# ENOSPC at the Nth write of the worker, once or from then on; with room again, the next daemon closes the ledger.
no_space() {
        arm 1 "write-before by=worker nth=$1 ${2:+$2 }action=fail err=28"
        local answer
        answer=$(ask) || wrong="no answer: $answer; "
        last_id
        ledger=$run/$id.ledger
        until_true "$row_limit" is_quiet || wrong+="a process is left; "
        until_true 10 ledger_lines
        said=$(busctl --timeout=20 call "$bus_name" "$bus_path/removal/$id" "$bus_name.Removal" Wait)
        [ -e "$faults/1.fired" ] || wrong+="the fault was not met; "
        rm -f "$faults/1"
        read_end
        [ -n "$state" ] || restart_daemon
        until_true "$row_limit" is_finished || wrong+="the ledger is not closed; "
        read_end
        [[ $result = done && $said = 's "done"' ]] || [[ $result != done && $said != 's "done"' ]] ||
                wrong+="it said $said, and then $result; "
        case $said in
        *stuck*) wrong+="$said; " ;;
        esac
}

is_finished() {
        local line
        ledger_lines || return 1
        for line in "${lines[@]}"; do [[ $line != finished* ]] || return 0; done
        return 1
}

restart_daemon() {
        systemctl restart pmemremoved
}

# --- memory ---

# The Nth allocation after a point fails, in whatever process comes by; what is asked is refused, undone or done.
no_memory() {
        local answer
        arm 1 "$1 action=memory after=$2"
        remove_once
        grep -qs failed "$faults/1.fired" || met=no
}

# memory NAME POINT STEP: rows until no allocation is left to fail.
memory() {
        local n met=yes step=$3
        for ((n = 1; n < 100000; n += step, step += 1 + step / 4)); do
                environment "$1, allocation $n" no_memory "$2" "$n"
                [ "$met" = yes ] || break
        done
}

# --- journald ---

# Its queue is full and it takes nothing: whoever sends without MSG_DONTWAIT sleeps.
stop_journald() {
        local pid
        pid=$(systemctl show -P MainPID systemd-journald)
        kill -STOP "$pid"
        perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_DGRAM, 0); $s->blocking(0);
                connect($s, sockaddr_un("/run/systemd/journal/socket")); 1 while send($s, "MESSAGE=x\n", 0x40);'
        journald=$pid
}

deaf_journald() {
        stop_journald
        remove_once
        kill -CONT "$journald"
}

no_journald() {
        systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service 2>/dev/null
        remove_once
        systemctl start systemd-journald.service
}

# --- the bus, and another daemon ---

kill_bus() {
        systemctl kill -s KILL dbus.service
}

second_daemon() {
        local before
        before=$(md5sum "$run"/*.ledger)
        if timeout 20 pmemremoved --log-target=console >/run/second 2>&1; then wrong+="a second daemon ran; "; fi
        grep -q 'another pmemremoved' /run/second || wrong+="the second daemon said: $(cat /run/second); "
        [ "$(md5sum "$run"/*.ledger)" = "$before" ] || wrong+="the second daemon wrote into the ledger; "
}

prepare
reference
steps=$(grep -c '^step ' "$ledger")
writes=$(grep -c '^write-before worker' "$faults/points")
note "a second daemon"
for n in 1 4; do environment "second daemon, step $n" held_at "$n" second_daemon; done
note "the bus"
for ((n = 1; n <= steps; n += 2)); do environment "bus killed, step $n" held_at "$n" kill_bus; done
note "journald"
environment "journald stopped" no_journald
environment "journald deaf" deaf_journald
note "a full /run"
for ((n = 1; n <= writes; n += 1 + every / 4)); do
        environment "no space at write $n" no_space "$n" ""
        environment "no space from write $n on" no_space "$n" "stay=1"
done
small_run
environment "full before" full_before
environment "full while it runs" held_at 2 fill
rm -f "$run/filler"
big_run
note "memory"
memory "no memory in the daemon" "request by=daemon" $((every / 2 + 1))
memory "no memory in the worker" "start by=worker" $((every / 2 + 1))
the_end
