# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A bus of their own for the tests beside this file, and the daemon on it: everything in $work, and nothing of it left at
# the end. FAKE_MACHINE, FAKE_POLKIT, FAKE_LOGIN, FAKE_OTHER and PMEMREMOVECTL name the programs. Exit status 77: not root, or no bus
# daemon here.

set -eu

# The names are for who sources this.
program=${FAKE_MACHINE:-./tests/bus/fake-machine}
# shellcheck disable=SC2034
polkit_program=${FAKE_POLKIT:-./tests/bus/fake-polkit}
# shellcheck disable=SC2034
login_program=${FAKE_LOGIN:-./tests/bus/fake-login}
# shellcheck disable=SC2034
other_program=${FAKE_OTHER:-./tests/bus/fake-other}
# shellcheck disable=SC2034
client=${PMEMREMOVECTL:-./src/pmemremovectl}
log_level=info
command -v dbus-daemon >/dev/null || exit 77
command -v busctl >/dev/null || exit 77
[ "$(id -u)" = 0 ] || exit 77

work=$(mktemp -d)
chmod 755 "$work"
daemon=
bus=
polkit=
login=
monitor=
holder=
other=
cleanup() {
        [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || :
        for process in $holder $monitor $polkit $login $other $bus; do
                kill "$process" 2>/dev/null || :
        done
        rm -rf "$work"
}
trap cleanup EXIT

export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus"
export RUNTIME_DIRECTORY="$work/run"
export FAKE_WORLD="$work/world"

fail() {
        echo "FAILED: $*" >&2
        echo "--- log" >&2
        tail -n 200 "$work/log" >&2 || :
        exit 1
}
# Polls for a condition; what is waited for has no deadline worth asserting, this only ends a hang.
eventually() {
        for _ in $(seq 300); do
                "$@" && return 0
                sleep 0.1
        done
        fail "never: $*"
}

# start_bus: what is allowed on it comes from standard input.
start_bus() {
        {
                cat <<CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=$work/bus</listen>
  <auth>EXTERNAL</auth>
CONF
                cat
                echo '</busconfig>'
        } >"$work/bus.conf"
        dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile --address="unix:path=$work/bus" 2>"$work/bus.log" &
        bus=$!
        eventually test -S "$work/bus"
}

ctl() {
        busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" --timeout=60 "$@"
}
manager() {
        ctl call org.pmemremoved1 /org/pmemremoved1 org.pmemremoved1.Manager "$@"
}
# This one: of one that was killed, the bus may not have heard yet.
present() {
        ctl status org.pmemremoved1 2>/dev/null | grep -qx "PID=$daemon"
}
start() {
        : >"$work/log"
        "$program" --log-level="$log_level" 2>>"$work/log" &
        daemon=$!
        eventually present
}
