#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# memory.sh [STEP]: the real daemon on a made-up machine, and each STEPth allocation of a removal fails, in the daemon and in its
# worker. Whoever asked gets an answer, nobody crashes, and no ledger stays open. Needs a build with --enable-fault-injection.
# Exit status 77: not root, no bus daemon here, or another build.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
program=${FAKE_MACHINE:-./tests/bus/fake-machine}
step=${1:-13}
command -v dbus-daemon >/dev/null && command -v busctl >/dev/null && [ "$EUID" = 0 ] || exit 77
"$program" --version | grep -q 'fault injection' || exit 77

work=$(mktemp -d)
daemon='' bus=''
trap 'kill -KILL $daemon $bus 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cat >"$work/bus.conf" <<CONF
<busconfig>
  <listen>unix:path=$work/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
CONF
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile --address="unix:path=$work/bus" 2>/dev/null &
bus=$!
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus" RUNTIME_DIRECTORY="$work/run" FAKE_WORLD="$work/world"
failures=0 rows=0

wrong() {
        echo "FAILED: $*"
        failures=$((failures + 1))
}

ctl() {
        busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --timeout=30 "$@" 2>&1
}

start() {
        "$program" 2>>"$work/log" &
        daemon=$!
        for _ in {1..300}; do
                ! ctl status org.pmemremoved1 >/dev/null || break
                sleep 0.1
        done
        mkdir -p "$work/run/faults"
}

# 1: a connection that libsystemd gave up for want of memory. 134: libgcrypt, which aborts. Both are started again.
look_after() {
        local status
        ! kill -0 "$daemon" 2>/dev/null || return 0
        wait "$daemon"
        status=$?
        [ "$status" = 1 ] || [ "$status" = 134 ] || wrong "$1: the daemon ended with $status; $(tail -n 3 "$work/log")"
        start
}

# one POINT N: 1 when there is no such allocation any more.
one() {
        local answer end=''
        rm -f "$work"/run/faults/*
        echo "fault $1 action=memory after=$2" >"$work/run/faults/.new"
        mv "$work/run/faults/.new" "$work/run/faults/1"
        answer=$(ctl call org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager RequestRemove 'sa{sv}' namespace0.0 \
                1 reason s nothing)
        if [[ $answer == 'o "'* ]]; then
                answer=${answer#o \"}
                end=$(ctl call org.pmemremoved1 "${answer%\"}" org.pmemremoved1.Removal Wait)
        fi
        [[ "$answer $end" != *"timed out"* ]] || wrong "$1, allocation $2: nobody answered"
        [[ $end != *stuck* ]] || wrong "$1, allocation $2: stuck"
        look_after "$1, allocation $2"
        rows=$((rows + 1))
        grep -qs failed "$work/run/faults/1.fired"
}

# A few may be missed: what libraries keep from one request to the next is not allocated again.
sweep() {
        local n missed=0
        for ((n = 1; n < 100000 && missed < 3; n += step)); do
                if one "$1" "$n"; then missed=0; else missed=$((missed + 1)); fi
        done
}

start
sweep "request by=daemon"
sweep "start by=worker"
rm -f "$work"/run/faults/*
kill "$daemon"
wait "$daemon"
start
sleep 1
for ledger in "$work"/run/*.ledger; do
        [ ! -e "$ledger" ] || grep -q '^finished' "$ledger" || wrong "$ledger is not closed: $(tail -n 3 "$ledger")"
done
echo "$rows rows, $failures failed"
[ "$rows" -gt 20 ] && [ "$failures" -eq 0 ]
