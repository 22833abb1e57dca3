# SPDX-License-Identifier: LGPL-2.1-or-later
# Locks outlive the daemon: the service manager keeps their descriptors, a file each what they stand for. Who let go while
# nobody was there is gone, what cannot be read forbids everything, and a stop of the service gives all of them up.
# lab: kernel=new config=one timeout=150

# replaced COMMAND...: by which another daemon takes over.
replaced() {
        local before
        before=$(systemctl show -P MainPID pmemremoved)
        "$@"
        wait_for "[ \$(systemctl show -P MainPID pmemremoved) != $before ] && systemctl is-active pmemremoved" 30
}

die() {
        kill -KILL "$(systemctl show -P MainPID pmemremoved)"
}

same() {
        pmemremovectl --json=short inhibitors | diff /run/locks - || fail "the locks are not the same"
        refused_as Inhibited namespace0.0
        grep -q 'database.*a checkpoint runs' <<<"$sentence" || fail "who and why is not said"
}

# The daemon dies, and COMMAND runs before the next one is there.
meanwhile() {
        rm /run/go
        die
        wait_for '[ "$(systemctl show -P SubState pmemremoved)" = start-pre ]' 20
        "$@"
        touch /run/go
        wait_for 'systemctl is-active pmemremoved' 30
}

# For meanwhile; before the unit is loaded, so that nothing has to be loaded again.
mkdir -p /run/systemd/system/pmemremoved.service.d
printf '[Service]\nExecStartPre=/bin/sh -c "until [ -e /run/go ]; do sleep 0.1; done"\n' \
        >/run/systemd/system/pmemremoved.service.d/wait.conf
touch /run/go
mount_pmem
conf '[Policy]' 'DelayMax=0'
start_daemon
hold_lock --target="$mnt" --who=database --why='a checkpoint runs'
database=$lock
hold_lock --who=cache --why='it writes back' --mode=delay
cache=$lock
pmemremovectl --json=short inhibitors | tee /run/locks

note "restarted"
replaced systemctl restart pmemremoved
same

note "killed"
replaced die
same
[ "$(systemctl show -P NFileDescriptorStore pmemremoved)" -eq 2 ]

note "a holder dies while no daemon is there"
meanwhile let_go "$cache"
[ "$(n_locks)" -eq 1 ]
[ "$(ls /run/pmemremoved/inhibitors)" = 1 ]
refused_as Inhibited namespace0.0

note "what cannot be read forbids everything, until its holder lets go"
meanwhile sh -c ': >/run/pmemremoved/inhibitors/1'
refused_as Inhibited ndbus0
grep -q 'unknown' <<<"$sentence"
let_go "$database"
wait_for '[ "$(n_locks)" -eq 0 ]' 10
[ -z "$(ls /run/pmemremoved/inhibitors)" ]
wait_for '[ "$(systemctl show -P NFileDescriptorStore pmemremoved)" -eq 0 ]' 10

note "stopped: the locks are gone, and the holder hears of it"
hold_lock --target="$mnt" --who=database --why='a checkpoint runs'
systemctl stop pmemremoved
wait_for 'grep "lock is lost" /run/lock.log' 10
is_alive "$lock" || fail "the command ended with it"
[ "$(n_locks)" -eq 0 ]
request namespace0.0
wait_removal done
assert_gone namespace0.0
let_go
