# SPDX-License-Identifier: LGPL-2.1-or-later
# Hooks that do not end, that leave something behind, and whose worker and daemon die meanwhile: each verb runs once, undo
# follows prepare, and nothing is left running.
# lab: kernel=new config=two timeout=240
# story: udisks #871
# matrix: hook does not end | any | killed after HookTimeout= with what it started, undone
# matrix: worker or daemon dies while a hook runs | any | hook stopped, undo runs, no verb twice

folder=/etc/pmemremoved/hooks.d
mkdir -p /run/hooks "$folder"

# hook: its script on stdin; what it is called with is in /run/hooks/said.
hook() {
        { printf '#!/bin/bash\necho "$1" >>/run/hooks/said\n'; cat; } >"$folder/10-site"
        chmod 755 "$folder/10-site"
}

said() {
        [ "$(xargs </run/hooks/said)" = "$*" ] || fail "the hook said $(xargs </run/hooks/said), not $*"
        : >/run/hooks/said
}

nothing_left() {
        must_fail pgrep -f '^sleep 1234'
        [ -z "$(systemctl list-units --all --no-legend 'pmemremoved-hook-*')" ] || fail "a unit is left"
        must_fail pgrep -f '^systemd-run'
        world | diff /run/before -
}

worker_pid() {
        pgrep -f 'pmemremoved --run' | head -n 1
}

mount_pmem
conf '[Policy]' 'DrainSignals=SIGTERM:300ms' 'HookTimeout=5s'
: >/run/hooks/said
start_daemon
world >/run/before

note "it ignores SIGTERM, and so does what it started"
hook <<'END'
[ "$1" != prepare ] || { trap '' TERM; setsid sleep 1234 & sleep 1234; sleep 1234; }
END
request namespace0.0
wait_removal failed
property Error | grep -q 'longer than HookTimeout='
said query prepare undo
nothing_left

conf '[Policy]' 'DrainSignals=SIGTERM:300ms' 'HookTimeout=60s'
busctl call "$bus_name" "$bus_path" "$bus_name.Manager" Reload

note "it leaves a daemon behind that keeps its output open"
hook <<'END'
[ "$1" != query ] || { setsid sleep 1234 & echo "the last line"; exit 3; }
END
request namespace0.0
wait_removal vetoed
property Error | grep -q 'the last line'
said query
nothing_left

note "worker and daemon die while it prepares"
hook <<'END'
[ "$1" != prepare ] || { setsid sleep 1234 & wait; }
END
request namespace0.0
wait_for 'pgrep -f "^sleep 1234"' 20
answers
kill -KILL "$(worker_pid)" "$(systemctl show -P MainPID pmemremoved)"
result_of
[ "$result" = failed ]
said query prepare undo
nothing_left

note "the worker dies while it undoes"
hook <<'END'
[ "$1" != undo ] || { setsid sleep 1234 & wait; }
END
request namespace0.0 mode s graceful hold-before-commit b true
reaches waiting
tell Cancel
wait_for 'pgrep -f "^sleep 1234"' 20
kill -KILL "$(worker_pid)"
result_of
[ "$result" != done ]
said query prepare undo
nothing_left

note "the worker dies while it tells that it is done: it stays done"
hook <<'END'
[ "$1" != 'done' ] || { setsid sleep 1234 & wait; }
END
request namespace0.0 mode s graceful
wait_for 'pgrep -f "^sleep 1234"' 30
assert_gone namespace0.0
tell_fails PastCommit Cancel
kill -KILL "$(worker_pid)"
result_of
[ "$result" = 'done' ]
said query prepare 'done'
must_fail pgrep -f '^sleep 1234'
assert_gone namespace0.0
